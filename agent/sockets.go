package agent

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	psnet "github.com/shirou/gopsutil/v4/net"
)

// sockets reports listening ports and connections: what is new since the last look,
// ports that were closed, and now and then all of them in one record.
//
// Connections of one program with one peer count as one, whatever their own ports
// are: a browser with fifty of them to a server is one line. One that comes back
// within Config.Inventory is not new.
type sockets struct {
	*Agent
	look func(context.Context) ([]socket, error)

	known   map[string]told // what the spool has
	seen    map[string]time.Time
	waiting map[string]bool // that had no room at the last look
	whole   time.Time       // of the last whole report
	first   bool            // nothing was known: what is there is no news
}

// socket is one that is open, or several connections of the same.
type socket struct {
	Protocol  string         `json:"protocol"` // tcp or udp
	Listening bool           `json:"-"`
	Local     netip.AddrPort `json:"local_address"`
	Remote    netip.AddrPort `json:"remote_address,omitzero"`
	PID       int32          `json:"pid,omitempty"`
	Program   program        `json:"-"`
	inbound   bool
	count     int
}

// told is what the spool keeps of one.
type told struct {
	Protocol  string         `json:"protocol"`
	Listening bool           `json:"listening,omitempty"`
	Local     netip.AddrPort `json:"local"`
	Process   string         `json:"process,omitempty"`
}

// Bounds of one look; what is beyond comes with the next, while it is there.
const (
	maxSockets   = 300
	maxInventory = 200 // of each kind
)

// portReport is the report "network" of a listening port.
type portReport struct {
	head
	Change      string `json:"change"` // found, opened, closed
	Port        uint16 `json:"port"`
	Open        bool   `json:"open"`
	Service     string `json:"service"`
	Protocol    string `json:"protocol"`
	Local       string `json:"local_address"`
	Connections int    `json:"connection_count"`
	Process     string `json:"process,omitempty"`
	PID         int32  `json:"pid,omitempty"`
	Executable  string `json:"executable,omitempty"`
	CommandLine string `json:"command_line,omitempty"`
	User        string `json:"user,omitempty"`
	ScanMS      int64  `json:"scan_duration_ms"`
}

// connectionReport is the report "connection".
type connectionReport struct {
	head
	Change      string `json:"change"` // found, opened
	Protocol    string `json:"protocol"`
	Initiated   bool   `json:"initiated"` // by this machine
	SourceIP    string `json:"source_ip"`
	SourcePort  uint16 `json:"source_port"`
	DestIP      string `json:"destination_ip"`
	DestPort    uint16 `json:"destination_port"`
	Connections int    `json:"connection_count"`
	Process     string `json:"process,omitempty"`
	PID         int32  `json:"pid,omitempty"`
	Executable  string `json:"executable,omitempty"`
	CommandLine string `json:"command_line,omitempty"`
	User        string `json:"user,omitempty"`
}

// inventoryReport is the report "inventory".
type inventoryReport struct {
	head
	PortCount       int      `json:"port_count"`
	ConnectionCount int      `json:"connection_count"`
	Ports           []string `json:"ports"`       // protocol, address and port, process
	Connections     []string `json:"connections"` // protocol, process, <- or ->, peer
}

func (s *sockets) name() string { return "sockets" }

func (s *sockets) run(ctx context.Context) error {
	known, err := s.spool.Known(s.name())
	if err != nil {
		return err
	}
	now := time.Now()
	s.known, s.seen, s.waiting = map[string]told{}, map[string]time.Time{}, map[string]bool{}
	for key, value := range known {
		var t told
		if err := json.Unmarshal(value, &t); err != nil {
			return fmt.Errorf("spool: what is known of %s: %w", key, err)
		}
		s.known[key], s.seen[key] = t, now
	}
	s.first = len(known) == 0
	return s.each(ctx, s.name(), s.cfg.Every, s.once)
}

// once looks, and puts what is news into the spool together with having told it.
func (s *sockets) once(ctx context.Context) error {
	begun := time.Now()
	all, err := s.look(ctx)
	if err != nil {
		return err
	}
	now := time.Now()
	open := s.gather(all)
	took := now.Sub(begun).Milliseconds()
	changed, records := Known{}, [][]byte{}
	inventory := now.Sub(s.whole) >= s.cfg.Inventory
	if inventory {
		r, err := encode([]inventoryReport{s.inventory(open, now)})
		if err != nil {
			return err
		}
		records = append(records, r...)
	}
	news, waiting := s.news(open)
	for key := range s.waiting {
		if _, still := open[key]; !still {
			s.notes.skip()
		}
	}
	for _, key := range news {
		record, err := s.opened(open[key], open, now, took)
		if err != nil {
			return err
		}
		value, err := json.Marshal(open[key].told())
		if err != nil {
			return err
		}
		changed[key], records = value, append(records, record)
	}
	for _, key := range s.gone(open, now) {
		if t := s.known[key]; t.Listening {
			record, err := encode([]portReport{s.closed(t, now, took)})
			if err != nil {
				return err
			}
			records = append(records, record...)
		}
		changed[key] = nil
	}
	if err := s.spool.Put(s.name(), changed, records); err != nil {
		return err
	}
	s.remember(open, changed, now)
	s.waiting, s.first = waiting, s.first && len(waiting) > 0
	if inventory {
		s.whole = now
	}
	return nil
}

// remember takes over what the spool has taken.
func (s *sockets) remember(open map[string]*socket, changed Known, now time.Time) {
	for key, value := range changed {
		if value == nil {
			delete(s.known, key)
			delete(s.seen, key)
		} else {
			s.known[key] = open[key].told()
		}
	}
	for key := range open {
		if _, known := s.known[key]; known {
			s.seen[key] = now
		}
	}
}

// news are the keys that nothing was told of, listening ports first, and those for which there is no room now.
func (s *sockets) news(open map[string]*socket) (news []string, waiting map[string]bool) {
	for key := range open {
		if _, known := s.known[key]; !known {
			news = append(news, key)
		}
	}
	slices.SortFunc(news, func(a, b string) int {
		if open[a].Listening != open[b].Listening {
			if open[a].Listening {
				return -1
			}
			return 1
		}
		return cmp.Compare(a, b)
	})
	waiting = map[string]bool{}
	for _, key := range news[min(len(news), maxSockets):] {
		waiting[key] = true
	}
	return news[:min(len(news), maxSockets)], waiting
}

// gone are the keys to forget: of ports at once, of connections after a while.
func (s *sockets) gone(open map[string]*socket, now time.Time) []string {
	var gone []string
	for _, key := range slices.Sorted(maps.Keys(s.known)) {
		if _, still := open[key]; !still && (s.known[key].Listening || now.Sub(s.seen[key]) >= s.cfg.Inventory) {
			gone = append(gone, key)
		}
	}
	return gone
}

// gather makes one of what counts as one.
func (s *sockets) gather(all []socket) map[string]*socket {
	listening := map[string]bool{}
	for i := range all {
		if all[i].Listening {
			listening[all[i].Protocol+strconv.Itoa(int(all[i].Local.Port()))] = true
		}
	}
	open := map[string]*socket{}
	for i := range all {
		c := &all[i]
		if !c.Listening && c.Remote.Addr().IsLoopback() && !s.cfg.Loopback {
			continue
		}
		c.inbound = !c.Listening && listening[c.Protocol+strconv.Itoa(int(c.Local.Port()))]
		key := c.key()
		if open[key] == nil {
			open[key] = c
		}
		open[key].count++
	}
	return open
}

func (c *socket) key() string {
	switch {
	case c.Listening:
		return "port " + c.Protocol + " " + c.Local.String() + " " + c.Program.Name
	case c.inbound:
		return "in " + c.Protocol + " " + strconv.Itoa(int(c.Local.Port())) + " " + c.Remote.Addr().String() + " " + c.Program.Name
	default:
		return "out " + c.Protocol + " " + c.Remote.String() + " " + c.Program.Name
	}
}

func (c *socket) told() told {
	return told{Protocol: c.Protocol, Listening: c.Listening, Local: c.Local, Process: c.Program.Name}
}

// opened is the record of something new.
func (s *sockets) opened(c *socket, open map[string]*socket, now time.Time, took int64) ([]byte, error) {
	change, p := "opened", c.Program
	if s.first {
		change = "found"
	}
	if c.Listening {
		n := 0
		for _, other := range open {
			if other.inbound && other.Protocol == c.Protocol && other.Local.Port() == c.Local.Port() {
				n += other.count
			}
		}
		return json.Marshal(portReport{
			head: s.head("network", now), Change: change, Port: c.Local.Port(), Open: true, Service: serviceName(c.Protocol, c.Local.Port()), Protocol: c.Protocol,
			Local: c.Local.String(), Connections: n, Process: p.Name, PID: c.PID, Executable: p.Executable, CommandLine: p.CommandLine, User: p.User, ScanMS: took,
		})
	}
	r := connectionReport{
		head: s.head("connection", now), Change: change, Protocol: c.Protocol, Initiated: !c.inbound, Connections: c.count,
		Process: p.Name, PID: c.PID, Executable: p.Executable, CommandLine: p.CommandLine, User: p.User,
	}
	from, to := c.Local, c.Remote
	if c.inbound {
		from, to = to, from
	}
	r.SourceIP, r.SourcePort, r.DestIP, r.DestPort = from.Addr().String(), from.Port(), to.Addr().String(), to.Port()
	return json.Marshal(r)
}

func (s *sockets) closed(t told, now time.Time, took int64) portReport {
	return portReport{
		head: s.head("network", now), Change: "closed", Port: t.Local.Port(), Service: serviceName(t.Protocol, t.Local.Port()), Protocol: t.Protocol,
		Local: t.Local.String(), Process: t.Process, ScanMS: took,
	}
}

func (s *sockets) inventory(open map[string]*socket, now time.Time) inventoryReport {
	r := inventoryReport{head: s.head("inventory", now), Ports: []string{}, Connections: []string{}}
	for _, key := range slices.Sorted(maps.Keys(open)) {
		c := open[key]
		switch {
		case c.Listening:
			if r.PortCount++; r.PortCount <= maxInventory {
				r.Ports = append(r.Ports, strings.TrimSpace(c.Protocol+" "+c.Local.String()+" "+c.Program.Name))
			}
		default:
			if r.ConnectionCount++; r.ConnectionCount > maxInventory {
				break
			}
			arrow, peer := "->", c.Remote.String()
			if c.inbound {
				arrow, peer = "<-", c.Remote.Addr().String()
			}
			r.Connections = append(r.Connections, c.Protocol+" "+cmp.Or(c.Program.Name, "?")+" "+arrow+" "+peer)
		}
	}
	return r
}

// serviceName is what a port is used for by the system's table, "unknown" otherwise.
func serviceName(protocol string, port uint16) string {
	for name, number := range commonServices {
		if number == port && protocol == "tcp" {
			return name
		}
	}
	return "unknown"
}

// commonServices are names of IANA's registry for what is found on servers.
var commonServices = map[string]uint16{
	"ftp": 21, "ssh": 22, "telnet": 23, "smtp": 25, "domain": 53, "http": 80, "pop3": 110, "sunrpc": 111, "imap": 143, "ldap": 389, "https": 443,
	"microsoft-ds": 445, "submission": 587, "ipp": 631, "ldaps": 636, "imaps": 993, "pop3s": 995, "ms-sql-s": 1433, "nfs": 2049, "mysql": 3306,
	"ms-wbt-server": 3389, "postgresql": 5432, "rfb": 5900, "redis": 6379, "http-alt": 8080, "mongodb": 27017,
}

// lookAtSockets gives the machine's sockets of TCP and UDP. Of sockets of other users only
// root learns the process.
func lookAtSockets(ctx context.Context) ([]socket, error) {
	stats, err := psnet.ConnectionsWithoutUidsWithContext(ctx, "inet")
	if err != nil {
		return nil, err
	}
	programs := programCache{}
	ephemeral := firstEphemeral()
	var all []socket
	for i := range stats {
		st := &stats[i]
		c := socket{PID: st.Pid, Protocol: "tcp"}
		if st.Type == syscall.SOCK_DGRAM {
			c.Protocol = "udp"
		}
		var ok bool
		if c.Local, ok = addrPort(st.Laddr); !ok {
			continue
		}
		c.Remote, _ = addrPort(st.Raddr)
		switch {
		case c.Protocol == "tcp" && st.Status == "LISTEN":
			c.Listening, c.Remote = true, netip.AddrPort{}
		case c.Protocol == "tcp" && (st.Status == "ESTABLISHED" || st.Status == "SYN_SENT"):
		case c.Protocol == "udp" && c.Remote.IsValid() && c.Remote.Port() != 0:
		case c.Protocol == "udp" && c.Local.Port() < ephemeral: // others are somebody's question for a moment
			c.Listening, c.Remote = true, netip.AddrPort{}
		default:
			continue
		}
		c.Program = programs.of(ctx, st.Pid)
		all = append(all, c)
	}
	return all, nil
}

func addrPort(a psnet.Addr) (netip.AddrPort, bool) {
	ip, err := netip.ParseAddr(a.IP)
	if err != nil {
		ip, err = netip.ParseAddr(net.ParseIP(a.IP).String())
	}
	return netip.AddrPortFrom(ip.Unmap(), uint16(a.Port)), err == nil
}

// firstEphemeral is where the ports begin that the system gives to whoever asks for any.
func firstEphemeral() uint16 {
	text, err := os.ReadFile("/proc/sys/net/ipv4/ip_local_port_range")
	if err != nil {
		return 32768
	}
	var first, last uint16
	if _, err := fmt.Sscan(string(text), &first, &last); err != nil {
		return 32768
	}
	return first
}

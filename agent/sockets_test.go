package agent

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"testing"
	"time"
)

func listening(address, process string) socket {
	return socket{Protocol: "tcp", Listening: true, Local: netip.MustParseAddrPort(address), PID: 7, Program: program{Name: process, Executable: "/usr/bin/" + process, User: "ana"}}
}

func connected(local, remote, process string) socket {
	return socket{Protocol: "tcp", Local: netip.MustParseAddrPort(local), Remote: netip.MustParseAddrPort(remote), PID: 8, Program: program{Name: process}}
}

// machine is one whose sockets the test says.
type machine struct {
	t    *testing.T
	a    *Agent
	s    *sockets
	open []socket
}

func newMachine(t *testing.T) *machine {
	t.Helper()
	m := &machine{t: t, a: newAgent(t, t.TempDir(), Config{Inventory: time.Hour})}
	m.again()
	return m
}

// again is what a start does.
func (m *machine) again() {
	m.t.Helper()
	m.s = &sockets{Agent: m.a, look: func(ctx context.Context) ([]socket, error) { return slices.Clone(m.open), ctx.Err() }}
	ctx, stop := canceled()
	defer stop()
	_ = m.s.run(ctx) // up to its first look, which fails
}

// sees looks, and gives what was reported, without inventories.
func (m *machine) sees(open ...socket) (reports []string) {
	m.t.Helper()
	m.open = open
	if err := m.s.once(m.t.Context()); err != nil {
		m.t.Fatal(err)
	}
	for _, r := range spooled(m.t, m.a.spool) {
		switch r["report"] {
		case "network":
			reports = append(reports, fmt.Sprintf("%v %v %v %v", r["change"], r["local_address"], r["process"], r["connection_count"]))
		case "connection":
			reports = append(reports, fmt.Sprintf("%v %v:%v %v:%v initiated=%v x%v", r["change"], r["source_ip"], r["source_port"], r["destination_ip"], r["destination_port"], r["initiated"], r["connection_count"]))
		}
	}
	return reports
}

func TestSocketsAreReportedOnceAndAsDeltas(t *testing.T) {
	m := newMachine(t)
	ssh, backdoor := listening("0.0.0.0:22", "sshd"), listening("0.0.0.0:4444", "nc")
	in, in2 := connected("10.0.0.1:22", "203.0.113.7:40001", "sshd"), connected("10.0.0.1:22", "203.0.113.7:40002", "sshd")
	out, out2 := connected("10.0.0.1:50001", "198.51.100.9:443", "firefox"), connected("10.0.0.1:50002", "198.51.100.9:443", "firefox")
	local := connected("127.0.0.1:50003", "127.0.0.1:5432", "app")
	for _, step := range []struct {
		reason  string
		restart bool
		open    []socket
		want    []string
	}{
		{"what was there is found", false, []socket{ssh, in}, []string{"found 0.0.0.0:22 sshd 1", "found 203.0.113.7:40001 10.0.0.1:22 initiated=false x1"}},
		{"nothing new", false, []socket{ssh, in}, nil},
		{
			"a new port, a program's connections to one server, nothing within the machine", false,
			[]socket{ssh, in, in2, backdoor, out, out2, local},
			[]string{"opened 0.0.0.0:4444 nc 0", "opened 10.0.0.1:50001 198.51.100.9:443 initiated=true x2"},
		},
		{"a restart tells nothing again", true, []socket{ssh, in, backdoor, out2}, nil},
		{"a port that closes; connections just end", false, []socket{ssh}, []string{"closed 0.0.0.0:4444 nc 0"}},
		{"one that comes back soon is no news", false, []socket{ssh, out}, nil},
		{"opened while the agent was away", true, []socket{ssh, backdoor, out}, []string{"opened 0.0.0.0:4444 nc 0"}},
		{"closed while it was away", true, []socket{ssh, out}, []string{"closed 0.0.0.0:4444 nc 0"}},
		{"the program behind a port changes", false, []socket{listening("0.0.0.0:22", "evil")}, []string{"opened 0.0.0.0:22 evil 0", "closed 0.0.0.0:22 sshd 0"}},
	} {
		if step.restart {
			m.again()
		}
		if got := m.sees(step.open...); !slices.Equal(got, step.want) {
			t.Fatalf("%s: %q, want %q", step.reason, got, step.want)
		}
	}
}

// A scan opens thousands of connections: a look tells of a bounded number, ports first, and
// what went before its turn is counted.
func TestStormOfConnectionsIsBounded(t *testing.T) {
	m := newMachine(t)
	m.sees()
	var storm []socket
	for i := range 2*maxSockets + 50 {
		storm = append(storm, connected("10.0.0.1:50001", fmt.Sprintf("198.51.%d.%d:80", i/250, i%250+1), "nmap"))
	}
	storm = append(storm, listening("0.0.0.0:4444", "nc"))
	if got := m.sees(storm...); len(got) != maxSockets || got[0] != "opened 0.0.0.0:4444 nc 0" {
		t.Fatalf("%d reports, the first %s", len(got), got[0])
	}
	if got := m.sees(storm...); len(got) != maxSockets {
		t.Fatalf("%d reports of the second look", len(got))
	}
	m.sees()
	if _, skipped := m.a.notes.tell(); skipped != 51 {
		t.Errorf("%d left out, want 51", skipped)
	}
}

func TestWholeReportComesNowAndThen(t *testing.T) {
	m := newMachine(t)
	m.open = []socket{listening("0.0.0.0:22", "sshd"), connected("10.0.0.1:50001", "198.51.100.9:443", "firefox")}
	inventories := func() (n int, last map[string]any) {
		t.Helper()
		if err := m.s.once(t.Context()); err != nil {
			t.Fatal(err)
		}
		for _, r := range spooled(t, m.a.spool) {
			if r["report"] == "inventory" {
				n, last = n+1, r
			}
		}
		return n, last
	}
	n, r := inventories()
	if n != 1 || fmt.Sprint(r["ports"], r["connections"], r["port_count"]) != "[tcp 0.0.0.0:22 sshd] [tcp firefox -> 198.51.100.9:443] 1" {
		t.Errorf("%d at the start: %v", n, r)
	}
	if n, _ := inventories(); n != 0 {
		t.Error("one more at once")
	}
	m.s.whole = time.Now().Add(-time.Hour)
	if n, _ := inventories(); n != 1 {
		t.Errorf("%d after the period", n)
	}
}

func TestAPortOfThisMachineIsSeen(t *testing.T) {
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close() //nolint:errcheck // a test
	all, err := lookAtSockets(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(all, func(c socket) bool { return c.Listening && c.Local.String() == l.Addr().String() })
	if i < 0 {
		t.Fatalf("%s is not among %d sockets", l.Addr(), len(all))
	}
	if p := all[i].Program; p.Name == "" || p.Executable == "" || p.CommandLine == "" {
		t.Errorf("its process: %+v", p)
	}
}

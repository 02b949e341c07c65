package notify

import (
	"fmt"
	"net/netip"
	"net/url"
	"strings"
	"syscall"
)

// Allowed are networks that webhooks may reach though they are not public.
type Allowed []netip.Prefix

// ParseAllowed reads networks and addresses, such as 10.1.0.0/16.
func ParseAllowed(texts []string) (Allowed, error) {
	var all Allowed
	for _, text := range texts {
		text = strings.TrimSpace(text)
		prefix, err := netip.ParsePrefix(text)
		if err != nil {
			addr, addrErr := netip.ParseAddr(text)
			if addrErr != nil {
				return nil, fmt.Errorf("%q is no network such as 10.1.0.0/16: %w", text, err)
			}
			prefix = netip.PrefixFrom(addr, addr.BitLen())
		}
		all = append(all, prefix.Masked())
	}
	return all, nil
}

// closed are the networks that nothing public is in: the special purposes of the IANA
// registries (RFC 6890 and its updates), and those through which IPv4 ones can be
// reached by IPv6. Loopback, link-local (with the cloud's metadata at
// 169.254.169.254), private and unique local ones (fd00:ec2::254) are among them.
var closed = prefixes(
	"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24",
	"192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
	"::/128", "::1/128", "::/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20", "5f00::/16",
	"fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8",
)

func prefixes(texts ...string) []netip.Prefix {
	all := make([]netip.Prefix, len(texts))
	for i, text := range texts {
		all[i] = netip.MustParsePrefix(text)
	}
	return all
}

// has tells whether an address is allowed by configuration.
func (a Allowed) has(addr netip.Addr) bool {
	for _, p := range a {
		if p.Contains(addr) {
			return true
		}
	}
	return false
}

func public(addr netip.Addr) bool {
	for _, p := range closed {
		if p.Contains(addr) {
			return false
		}
	}
	return addr.IsGlobalUnicast()
}

// errAddress is told to whoever made the webhook, too: it names no address, which
// would make the server a resolver of inner names.
type errAddress struct{ plain bool }

func (e errAddress) Error() string {
	if e.plain {
		return "unencrypted http is sent only to networks that the server's configuration allows (--webhook-allow): use https"
	}
	return "the address, or that which the name leads to, is not public; the server's configuration can allow it (--webhook-allow)"
}

// CheckURL tells what is known of an address before a connection is made, so that
// whoever writes it down hears it at once: a literal one that is not public, and http
// where nothing is allowed. Where a name leads is looked at with each connection.
func (a Allowed) CheckURL(address string) error {
	u, err := url.Parse(address)
	if err != nil {
		return err
	}
	plain := u.Scheme == "http"
	literal, err := netip.ParseAddr(u.Hostname())
	if err != nil { // a name
		if plain && len(a) == 0 {
			return errAddress{plain: true}
		}
		return nil
	}
	return a.check(literal, plain)
}

// Control is for a net.Dialer: it refuses addresses that are neither public nor
// allowed, whatever the name that led to them. It is told what the connection is
// about to be made to; the connection must be encrypted.
func (a Allowed) Control(network, address string, c syscall.RawConn) error {
	return a.control(false)(network, address, c)
}

// control gives a check of the address that a connection is about to be made to: the
// resolved one, so that no name can lead elsewhere than where it was looked at.
// plain connections reach allowed networks only.
func (a Allowed) control(plain bool) func(network, address string, _ syscall.RawConn) error {
	return func(_, address string, _ syscall.RawConn) error {
		at, err := netip.ParseAddrPort(address)
		if err != nil {
			return errAddress{}
		}
		return a.check(at.Addr(), plain)
	}
}

func (a Allowed) check(addr netip.Addr, plain bool) error {
	addr = addr.Unmap().WithZone("")
	if a.has(addr) || !plain && public(addr) {
		return nil
	}
	return errAddress{plain: plain && public(addr)}
}

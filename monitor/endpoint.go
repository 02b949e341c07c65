package monitor

import "net/netip"

// Endpoint is an address and port of an event or alert; nil where it is unknown.
type Endpoint struct {
	IP   *string
	Port *int
}

func endpoint(ip netip.Addr, port uint16) Endpoint {
	var e Endpoint
	if ip.IsValid() {
		text := ip.String()
		e.IP = &text
	}
	if port != 0 {
		n := int(port)
		e.Port = &n
	}
	return e
}

// Source is where the event came from.
func (e *Event) Source() Endpoint { return endpoint(e.SrcIP, e.SrcPort) }

// Destination is where the event went to.
func (e *Event) Destination() Endpoint { return endpoint(e.DstIP, e.DstPort) }

// Source is where the alert's events came from.
func (a *Alert) Source() Endpoint { return endpoint(a.SrcIP, a.SrcPort) }

// Destination is where the alert's events went to.
func (a *Alert) Destination() Endpoint { return endpoint(a.DstIP, a.DstPort) }

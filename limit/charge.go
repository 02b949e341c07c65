package limit

import (
	"context"
	"net/netip"
)

// StatsKey is where an operation keeps its *Charge.
const StatsKey = "secmon.charge"

// Charge is what an operation cost, and what is left of the budget it was taken
// from: the viewer's, or the address's where nobody is logged in. A Budget
// without a Limit: there is none.
type Charge struct {
	Cost   int
	Budget Budget
}

// Points are the sizes of the budgets: points in Period, 0 for no bound.
type Points struct{ Viewer, Address int }

// Charge takes an operation's cost from the budgets of its viewer ("" for nobody)
// and its address. It fails with RATE_LIMITED; the Charge says by which budget.
func (r *Rate) Charge(ctx context.Context, p Points, viewer, address string, cost int) (*Charge, error) {
	c := &Charge{Cost: cost}
	if viewer != "" && p.Viewer > 0 {
		c.Budget = r.Take(ctx, "v:"+viewer, cost, p.Viewer)
		if err := c.Budget.Refusal("your"); err != nil {
			r.RefusedViewer.Add(1)
			return c, err
		}
	}
	if address == "" || p.Address <= 0 {
		return c, nil
	}
	b := r.Take(ctx, "a:"+network(address), cost, p.Address)
	err := b.Refusal("your address's")
	if err != nil {
		r.RefusedAddress.Add(1)
	}
	if c.Budget.Limit == 0 || err != nil {
		c.Budget = b
	}
	return c, err
}

// network gives what stands for one client: an IPv4 address, or the /64 that one
// has of IPv6.
func network(address string) string {
	ip, err := netip.ParseAddr(address)
	if err != nil {
		return address
	}
	ip = ip.Unmap().WithZone("")
	if ip.Is6() {
		if prefix, err := ip.Prefix(64); err == nil {
			return prefix.String()
		}
	}
	return ip.String()
}

package resolvers

import (
	"context"

	"github.com/security-monitor/secmon/monitor"
)

// Journal tells how much of the journal is kept.
type Journal interface {
	JournalExtent(ctx context.Context) (monitor.JournalExtent, error)
}

const retentionNote = "A cursor can be continued while it is not before earliest; older ones give CURSOR_EXPIRED with reason trimmed, and a feed then starts anew from earliest, or from the position of a list that was just read."

// Settings tells how the server is set up.
func (r queryResolver) Settings(ctx context.Context) (*monitor.Settings, error) {
	is, err := r.Resolver.Journal.JournalExtent(ctx)
	if err != nil {
		return nil, err
	}
	role := monitor.RoleFrom(ctx)
	return &monitor.Settings{Playground: r.Offers.ToPlay(role), Introspection: r.Offers.ToIntrospect(role), JournalRetention: monitor.JournalRetention{
		MaxAge: monitor.ISODuration(r.Bounds.MaxAge), MaxBytes: float64(r.Bounds.MaxBytes),
		Entries: is.Entries, Bytes: float64(is.Bytes), Oldest: optionalTime(is.Oldest), Earliest: is.Earliest.Cursor(), Note: retentionNote,
	}}, nil
}

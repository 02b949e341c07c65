package resolvers

import (
	"context"
	"time"

	"github.com/99designs/gqlgen/graphql"

	"github.com/security-monitor/secmon/graph/model"
	"github.com/security-monitor/secmon/monitor"
)

// Journal tells how much of the journal is kept, and where in it an instant is.
type Journal interface {
	JournalExtent(ctx context.Context) (monitor.JournalExtent, error)
	// EntryAt gives the newest entry that was written by then, or else the oldest one
	// that is kept; found is false where there is none at all.
	EntryAt(ctx context.Context, at time.Time) (entry monitor.Entry, found bool, err error)
}

// Settings keeps what administrators have set.
type Settings interface {
	Overrides(ctx context.Context) (*monitor.Overrides, error)
	Placeholders(ctx context.Context) (*monitor.PlaceholderSet, error)
	// UpdateOverrides refuses with CONFLICT where they are at another version.
	UpdateOverrides(ctx context.Context, actor monitor.Actor, expected *int, change func(*monitor.Overrides) error) (*monitor.Overrides, error)
}

// Setup is how this replica is set up.
type Setup interface {
	Now() monitor.Setup                            // what counts now
	Base() (configured monitor.Setup, pinned bool) // without what administrators have set; pinned: that does not count
}

const retentionNote = "A cursor can be continued while it is not before earliest; older ones give CURSOR_EXPIRED with reason trimmed, and a feed then starts anew from earliest, or from the position of a list that was just read."

// Settings tells how the server is set up.
func (r queryResolver) Settings(ctx context.Context) (*model.Settings, error) {
	set := &monitor.Overrides{}
	if monitor.RoleFrom(ctx) == monitor.RoleAdmin {
		var err error
		if set, err = r.Stored.Overrides(ctx); err != nil {
			return nil, err
		}
	}
	return r.settings(ctx, set, r.Setup.Now())
}

// settings shows a setup, and what of it was set by administrators.
func (r *Resolver) settings(ctx context.Context, set *monitor.Overrides, now monitor.Setup) (*model.Settings, error) {
	is, err := r.Journal.JournalExtent(ctx)
	if err != nil {
		return nil, err
	}
	role := monitor.RoleFrom(ctx)
	_, pinned := r.Setup.Base()
	return &model.Settings{
		Version: set.Version, Pinned: pinned, Overridden: set.Names(), IntrospectionFor: now.Introspection, PlaygroundFor: now.Playground,
		SessionLifetime: monitor.Duration(now.SessionLifetime), EventRetention: monitor.Duration(now.EventRetention),
		RetentionRules: retentionRules(now.RetentionRules), EventArchive: r.Archives.ArchivePath(),
		Playground: now.ToPlay(role), Introspection: now.ToIntrospect(role), JournalRetention: monitor.JournalRetention{
			MaxAge: monitor.ISODuration(now.Journal.MaxAge), MaxBytes: float64(now.Journal.MaxBytes),
			Entries: is.Entries, Bytes: float64(is.Bytes), Oldest: optionalTime(is.Oldest), Earliest: is.Earliest.Cursor(), Note: retentionNote,
		},
	}, nil
}

// SettingsUpdate sets what the server should do.
func (r mutationResolver) SettingsUpdate(ctx context.Context, input model.SettingsUpdateInput) (*model.SettingsPayload, error) {
	base, pinned := r.Setup.Base()
	var set *monitor.Overrides
	err := error(monitor.Errorf(monitor.CodeConflict, "the settings are pinned by the server's configuration (pin-settings)"))
	if !pinned {
		set, err = r.Stored.UpdateOverrides(ctx, monitor.ViewerFrom(ctx).Actor(), input.ExpectedVersion, func(o *monitor.Overrides) error {
			overrideBy(&o.Introspection, input.IntrospectionFor, as[monitor.Audience])
			overrideBy(&o.Playground, input.PlaygroundFor, as[monitor.Audience])
			overrideBy(&o.SessionLifetime, input.SessionLifetime, toDuration)
			overrideBy(&o.EventRetention, input.EventRetention, toDuration)
			if input.RetentionRules.IsSet() {
				o.RetentionRules = retentionRulesOf(input.RetentionRules.Value())
			}
			overrideBy(&o.JournalMaxAge, input.JournalMaxAge, toDuration)
			overrideBy(&o.JournalMaxBytes, input.JournalMaxBytes, func(f float64) int64 { return int64(f) })
			return o.Check()
		})
	}
	if err != nil {
		mendable, err := userErrors(err)
		return &model.SettingsPayload{Errors: mendable}, err
	}
	settings, err := r.settings(ctx, set, set.Over(base))
	return &model.SettingsPayload{Settings: settings, Errors: []*model.UserError{}}, err
}

// overrideBy sets what the input says: null goes back to the configuration.
func overrideBy[A, B any](field **B, input graphql.Omittable[*A], to func(A) B) {
	if !input.IsSet() {
		return
	}
	*field = nil
	if value := input.Value(); value != nil {
		converted := to(*value)
		*field = &converted
	}
}

func as[T any](v T) T { return v }

func toDuration(d monitor.Duration) time.Duration { return time.Duration(d) }

package resolvers

import (
	"context"
	"slices"

	"github.com/security-monitor/secmon/graph"
	"github.com/security-monitor/secmon/graph/model"
	"github.com/security-monitor/secmon/monitor"
	"github.com/security-monitor/secmon/page"
)

// DeadLetters keeps records that were rejected.
type DeadLetters interface {
	// DeadLetters gives them without the records themselves.
	DeadLetters(ctx context.Context, filter *monitor.DeadLetterFilter, args page.Args) (*monitor.DeadLetterConnection, error)
	DeadLettersByID(ctx context.Context, ids []monitor.ID) ([]*monitor.DeadLetter, error)
	SettleReplays(ctx context.Context, actor monitor.Actor, replays []*monitor.LetterReplay) error
	// DeleteDeadLetters gives those that were there.
	DeleteDeadLetters(ctx context.Context, actor monitor.Actor, ids []monitor.ID) ([]monitor.ID, error)
}

// Replays sends dead letters through the pipeline again. An event is stored once however
// often its letter is replayed; an error means that nothing is known of any.
type Replays interface {
	Replay(ctx context.Context, letters []*monitor.DeadLetter, asText bool) ([]*monitor.LetterReplay, error)
}

// DeadLetters lists dead letters.
func (r queryResolver) DeadLetters(ctx context.Context, filter *monitor.DeadLetterFilter, first int, after *string) (*monitor.DeadLetterConnection, error) {
	args, err := pageArgs(first, after)
	if err != nil {
		return nil, err
	}
	return r.Resolver.DeadLetters.DeadLetters(ctx, filter, args)
}

// DeadLetter gives one dead letter.
func (r queryResolver) DeadLetter(ctx context.Context, id string) (*monitor.DeadLetter, error) {
	return byGlobalID(ctx, monitor.KindDeadLetter, id, r.Resolver.DeadLetters.DeadLettersByID)
}

// DeadLetterReplay replays dead letters and notes what became of them.
func (r mutationResolver) DeadLetterReplay(ctx context.Context, input model.DeadLetterReplayInput) (*model.DeadLetterReplayPayload, error) {
	replays, err := r.replay(ctx, input.Ids, input.AsText)
	mendable, err := userErrors(err)
	if replays == nil {
		replays = []*monitor.LetterReplay{}
	}
	return &model.DeadLetterReplayPayload{Replays: replays, Errors: mendable}, err
}

func (r *Resolver) replay(ctx context.Context, globals []string, asText bool) ([]*monitor.LetterReplay, error) {
	ids, err := letterIDs(globals)
	if err != nil {
		return nil, err
	}
	letters, err := r.DeadLetters.DeadLettersByID(ctx, ids)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(letters, func(a, b *monitor.DeadLetter) int { return slices.Index(ids, a.ID) - slices.Index(ids, b.ID) })
	replays, err := r.Replays.Replay(ctx, letters, asText)
	if err != nil {
		return nil, err
	}
	return replays, r.DeadLetters.SettleReplays(ctx, monitor.ViewerFrom(ctx).Actor(), replays)
}

// DeadLetterDelete deletes dead letters.
func (r mutationResolver) DeadLetterDelete(ctx context.Context, input model.DeadLetterDeleteInput) (*model.DeadLetterDeletePayload, error) {
	payload := &model.DeadLetterDeletePayload{DeletedIds: []string{}}
	ids, err := letterIDs(input.Ids)
	if err == nil {
		ids, err = r.DeadLetters.DeleteDeadLetters(ctx, monitor.ViewerFrom(ctx).Actor(), ids)
		for _, id := range ids {
			payload.DeletedIds = append(payload.DeletedIds, monitor.GlobalID(monitor.KindDeadLetter, id.String()))
		}
	}
	payload.Errors, err = userErrors(err)
	return payload, err
}

// letterIDs gives each id once.
func letterIDs(globals []string) ([]monitor.ID, error) {
	if len(globals) == 0 || len(globals) > monitor.MaxLetterChange {
		return nil, monitor.InputErrorf("ids", "1 to %d, not %d", monitor.MaxLetterChange, len(globals))
	}
	var ids []monitor.ID
	for _, global := range globals {
		id, err := monitor.ParseIDOf(monitor.KindDeadLetter, global)
		if err != nil {
			return nil, monitor.InputErrorf("ids", "%v", err)
		}
		if !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	return ids, nil
}

type deadLetterResolver struct{ *Resolver }

// DeadLetter answers the fields of DeadLetter that are more than a value.
func (r *Resolver) DeadLetter() graph.DeadLetterResolver { return deadLetterResolver{r} }

func (deadLetterResolver) SourceID(_ context.Context, l *monitor.DeadLetter) (string, error) {
	return monitor.GlobalID(monitor.KindSource, l.SourceKey.ID().String()), nil
}

func (deadLetterResolver) Raw(ctx context.Context, l *monitor.DeadLetter) (string, error) {
	if l.Raw != nil {
		return l.Text(), nil
	}
	whole, err := loadersOf(ctx).letters.Load(ctx, l.ID)
	if err != nil || whole == nil {
		return "", err
	}
	return whole.Text(), nil
}

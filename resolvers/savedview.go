package resolvers

import (
	"context"

	"github.com/security-monitor/secmon/graph"
	"github.com/security-monitor/secmon/graph/model"
	"github.com/security-monitor/secmon/monitor"
	"github.com/security-monitor/secmon/page"
)

// SavedViews keeps lists that people look at again. What the reader does not see
// is NOT_FOUND.
type SavedViews interface {
	SavedViews(ctx context.Context, reader monitor.ID, noun *monitor.LineNoun, args page.Args) (*monitor.SavedViewConnection, error)
	SavedViewsByID(ctx context.Context, reader monitor.ID, ids []monitor.ID) ([]*monitor.SavedView, error)
	CreateSavedView(ctx context.Context, actor monitor.Actor, v monitor.SavedView) (*monitor.SavedView, error)
	UpdateSavedView(ctx context.Context, actor monitor.Actor, reader, id monitor.ID, expected *int, change func(*monitor.SavedView) error) (*monitor.SavedView, error)
	DeleteSavedView(ctx context.Context, actor monitor.Actor, reader, id monitor.ID, expected *int, may func(*monitor.SavedView) error) error
}

type savedViewResolver struct{ *Resolver }

// SavedView answers the fields of SavedView that are more than a value.
func (r *Resolver) SavedView() graph.SavedViewResolver { return savedViewResolver{r} }

func (savedViewResolver) Owner(ctx context.Context, v *monitor.SavedView) (*monitor.User, error) {
	return loadUser(ctx, v.OwnerID)
}

// SavedViews lists what the viewer sees.
func (r queryResolver) SavedViews(ctx context.Context, noun *monitor.LineNoun, first int, after *string) (*monitor.SavedViewConnection, error) {
	args, err := pageArgs(first, after)
	if err != nil {
		return nil, err
	}
	return r.Resolver.SavedViews.SavedViews(ctx, keeper(ctx), noun, args)
}

// SavedViewCreate keeps a list.
func (r mutationResolver) SavedViewCreate(ctx context.Context, input model.SavedViewCreateInput) (*model.SavedViewPayload, error) {
	if err := mayShare(ctx, false, input.Shared); err != nil {
		return nil, err
	}
	v := monitor.SavedView{
		Saved: monitor.Saved{Name: input.Name, Description: input.Description, Shared: input.Shared, OwnerID: keeper(ctx)},
		Noun:  input.Noun, Query: input.Query, Columns: input.Columns,
	}
	set(&v.OrderBy, input.OrderBy)
	return savedViewPayload(r.Resolver.SavedViews.CreateSavedView(ctx, monitor.ViewerFrom(ctx).Actor(), v))
}

// SavedViewUpdate changes a saved list.
func (r mutationResolver) SavedViewUpdate(ctx context.Context, input model.SavedViewUpdateInput) (*model.SavedViewPayload, error) {
	id, err := monitor.ParseIDOf(monitor.KindSavedView, input.ID)
	if err != nil {
		return savedViewPayload(nil, err)
	}
	return savedViewPayload(r.Resolver.SavedViews.UpdateSavedView(ctx, monitor.ViewerFrom(ctx).Actor(), keeper(ctx), id, input.ExpectedVersion, func(v *monitor.SavedView) error {
		if err := maySave(ctx, &v.Saved); err != nil {
			return err
		}
		if input.Shared != nil {
			if err := mayShare(ctx, v.Shared, *input.Shared); err != nil {
				return err
			}
		}
		set(&v.Name, input.Name)
		set(&v.Description, input.Description)
		set(&v.Shared, input.Shared)
		set(&v.Query, input.Query)
		if input.OrderBy.IsSet() {
			v.OrderBy = ""
			set(&v.OrderBy, input.OrderBy.Value())
		}
		if input.Columns != nil {
			v.Columns = input.Columns
		}
		return nil
	}))
}

// SavedViewDelete takes a saved list away.
func (r mutationResolver) SavedViewDelete(ctx context.Context, input model.SavedViewDeleteInput) (*model.SavedViewPayload, error) {
	id, err := monitor.ParseIDOf(monitor.KindSavedView, input.ID)
	if err == nil {
		err = r.Resolver.SavedViews.DeleteSavedView(ctx, monitor.ViewerFrom(ctx).Actor(), keeper(ctx), id, input.ExpectedVersion, func(v *monitor.SavedView) error { return maySave(ctx, &v.Saved) })
	}
	return savedViewPayload(nil, err)
}

func savedViewPayload(v *monitor.SavedView, err error) (*model.SavedViewPayload, error) {
	mendable, err := userErrors(err)
	if len(mendable) > 0 {
		v = nil
	}
	return &model.SavedViewPayload{View: v, Errors: mendable}, err
}

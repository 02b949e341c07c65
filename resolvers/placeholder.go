package resolvers

import (
	"context"

	"github.com/security-monitor/secmon/graph/model"
	"github.com/security-monitor/secmon/monitor"
)

// Placeholders lists the values that stand for placeholders in rules.
func (r queryResolver) Placeholders(ctx context.Context) ([]*monitor.Placeholder, error) {
	set, err := r.Stored.Placeholders(ctx)
	if err != nil {
		return nil, err
	}
	if set.All == nil {
		return []*monitor.Placeholder{}, nil
	}
	return set.All, nil
}

// PlaceholderUpdate sets a list of values.
func (r mutationResolver) PlaceholderUpdate(ctx context.Context, input model.PlaceholderUpdateInput) (*model.PlaceholderPayload, error) {
	list := &monitor.Placeholder{Name: input.Name, Values: input.Values}
	err := list.Check()
	if err == nil {
		list, err = r.Bench.SetPlaceholder(ctx, monitor.ViewerFrom(ctx).Actor(), input.ExpectedVersion, list)
	}
	if err != nil {
		mendable, err := userErrors(err)
		return &model.PlaceholderPayload{Errors: mendable}, err
	}
	return &model.PlaceholderPayload{Placeholder: list, Errors: []*model.UserError{}}, nil
}

// PlaceholderDelete takes a list of values away.
func (r mutationResolver) PlaceholderDelete(ctx context.Context, input model.PlaceholderDeleteInput) (*model.PlaceholderPayload, error) {
	_, err := r.Bench.SetPlaceholder(ctx, monitor.ViewerFrom(ctx).Actor(), input.ExpectedVersion, &monitor.Placeholder{Name: input.Name})
	mendable, err := userErrors(err)
	return &model.PlaceholderPayload{Errors: mendable}, err
}

package resolvers

import (
	"context"

	"github.com/security-monitor/secmon/graph"
	"github.com/security-monitor/secmon/graph/model"
	"github.com/security-monitor/secmon/monitor"
)

type (
	jobResolver     struct{ *Resolver }
	jobItemResolver struct{ *Resolver }
)

// Job answers the fields of Job that are more than a value.
func (r *Resolver) Job() graph.JobResolver { return jobResolver{r} }

// JobItem answers the fields of JobItem that are more than a value.
func (r *Resolver) JobItem() graph.JobItemResolver { return jobItemResolver{r} }

func (r jobResolver) Items(ctx context.Context, j *monitor.Job, state *monitor.JobItemState, first int, after *string) (*monitor.JobItemConnection, error) {
	args, err := pageArgs(first, after)
	if err != nil {
		return nil, err
	}
	return r.Jobs.JobItems(ctx, j.ID, state, args)
}

func (jobResolver) UndoneBy(_ context.Context, j *monitor.Job) (*string, error) {
	if j.UndoneBy.IsZero() {
		return nil, nil //nolint:nilnil // null is the answer
	}
	id := monitor.GlobalID(monitor.KindJob, j.UndoneBy.String())
	return &id, nil
}

func (jobItemResolver) Alert(ctx context.Context, i *monitor.JobItem) (*monitor.Alert, error) {
	return loadersOf(ctx).alerts.Load(ctx, i.EntityID)
}

func (jobItemResolver) Code(_ context.Context, i *monitor.JobItem) (*string, error) {
	return optional(string(i.Code)), nil
}

func (jobItemResolver) Message(_ context.Context, i *monitor.JobItem) (*string, error) {
	return optional(i.Message), nil
}

// AlertBulk begins to change many alerts.
func (r mutationResolver) AlertBulk(ctx context.Context, input model.AlertBulkInput) (*model.BulkPayload, error) {
	bulk, ids, err := r.bulkOf(ctx, input)
	var job *monitor.Job
	if err == nil {
		job, err = r.Jobs.AlertBulk(ctx, monitor.ViewerFrom(ctx).Actor(), bulk, input.Filter, ids)
	}
	return bulkPayload(job, err)
}

func (r mutationResolver) bulkOf(ctx context.Context, input model.AlertBulkInput) (bulk monitor.Bulk, ids []monitor.ID, err error) {
	if (input.Filter == nil) == (input.Ids == nil) {
		return bulk, nil, monitor.InputErrorf("ids", "say which alerts: by ids or by a filter")
	}
	if ids, err = idsOf(monitor.KindAlert, "ids", input.Ids); err != nil {
		return bulk, nil, err
	}
	bulk = monitor.Bulk{Action: input.Action, AddTags: input.AddTags, RemoveTags: input.RemoveTags}
	if bulk.AssigneeID, err = r.assignee(ctx, input.Assignee); err != nil {
		return bulk, nil, err
	}
	if input.Disposition != nil {
		bulk.Disposition = *input.Disposition
	}
	if input.Reason != nil {
		bulk.Reason = *input.Reason
	}
	if input.Severity != nil {
		bulk.Severity = *input.Severity
	}
	return bulk, ids, nil
}

// JobUndo begins to undo a bulk job.
func (r mutationResolver) JobUndo(ctx context.Context, input model.JobUndoInput) (*model.BulkPayload, error) {
	id, err := monitor.ParseIDOf(monitor.KindJob, input.ID)
	var job *monitor.Job
	if err == nil {
		job, err = r.Jobs.UndoBulk(ctx, monitor.ViewerFrom(ctx).Actor(), id)
	}
	return bulkPayload(job, err)
}

// JobCancel ends a bulk job or a backtest that goes on.
func (r mutationResolver) JobCancel(ctx context.Context, input model.JobCancelInput) (*model.BulkPayload, error) {
	id, err := monitor.ParseIDOf(monitor.KindJob, input.ID)
	var job *monitor.Job
	if err == nil {
		job, err = r.Jobs.CancelJob(ctx, monitor.ViewerFrom(ctx).Actor(), id)
	}
	return bulkPayload(job, err)
}

func bulkPayload(job *monitor.Job, err error) (*model.BulkPayload, error) {
	mendable, err := userErrors(err)
	if len(mendable) > 0 {
		job = nil
	}
	return &model.BulkPayload{Job: job, Errors: mendable}, err
}

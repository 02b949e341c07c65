package resolvers

import (
	"context"
	"time"

	"github.com/security-monitor/secmon/graph"
	"github.com/security-monitor/secmon/graph/model"
	"github.com/security-monitor/secmon/monitor"
)

// IncidentTasks keeps what is to do in incidents. Changes are refused as those of
// Incidents are, and each gives the incident as it is behind it.
type IncidentTasks interface {
	AddIncidentTask(ctx context.Context, actor monitor.Actor, task monitor.IncidentTask) (*monitor.IncidentTask, *monitor.Incident, error)
	UpdateIncidentTask(ctx context.Context, actor monitor.Actor, id monitor.ID, expected *int, change func(*monitor.IncidentTask, time.Time) error) (*monitor.IncidentTask, *monitor.Incident, error)
	DeleteIncidentTask(ctx context.Context, actor monitor.Actor, id monitor.ID) (*monitor.Incident, error)
	TasksOfIncidents(ctx context.Context, incidents []monitor.ID) ([]*monitor.IncidentTask, error)
	IncidentTasksByID(ctx context.Context, ids []monitor.ID) ([]*monitor.IncidentTask, error)
}

// taskList is an incident's tasks.
type taskList struct {
	incident monitor.ID
	tasks    []*monitor.IncidentTask
}

func (r *Resolver) tasksOf(ctx context.Context, incidents []monitor.ID) ([]*taskList, error) {
	tasks, err := r.IncidentTasks.TasksOfIncidents(ctx, incidents)
	if err != nil {
		return nil, err
	}
	of := map[monitor.ID]*taskList{}
	lists := make([]*taskList, len(incidents))
	for i, id := range incidents {
		lists[i] = &taskList{incident: id, tasks: []*monitor.IncidentTask{}}
		of[id] = lists[i]
	}
	for _, task := range tasks {
		of[task.IncidentID].tasks = append(of[task.IncidentID].tasks, task)
	}
	return lists, nil
}

func (incidentResolver) Tasks(ctx context.Context, i *monitor.Incident) ([]*monitor.IncidentTask, error) {
	list, err := loadersOf(ctx).tasks.Load(ctx, i.ID)
	if err != nil {
		return nil, err
	}
	return list.tasks, nil
}

// IncidentTaskAdd adds a task.
func (r mutationResolver) IncidentTaskAdd(ctx context.Context, input model.IncidentTaskAddInput) (*model.IncidentTaskPayload, error) {
	task := monitor.IncidentTask{Title: input.Title}
	set(&task.DueAt, input.Due)
	var err error
	if task.IncidentID, err = monitor.ParseIDOf(monitor.KindIncident, input.Incident); err == nil {
		task.AssigneeID, err = r.assignee(ctx, input.Assignee)
	}
	if err != nil {
		return taskPayload(nil, nil, err)
	}
	return taskPayload(r.IncidentTasks.AddIncidentTask(ctx, monitor.ViewerFrom(ctx).Actor(), task))
}

// IncidentTaskUpdate changes a task.
func (r mutationResolver) IncidentTaskUpdate(ctx context.Context, input model.IncidentTaskUpdateInput) (*model.IncidentTaskPayload, error) {
	id, err := monitor.ParseIDOf(monitor.KindIncidentTask, input.ID)
	if err != nil {
		return taskPayload(nil, nil, err)
	}
	assignee, err := r.assignee(ctx, input.Assignee.Value())
	if err != nil {
		return taskPayload(nil, nil, err)
	}
	change := func(t *monitor.IncidentTask, now time.Time) error {
		set(&t.Title, input.Title)
		if input.Done != nil {
			t.SetDone(*input.Done, now)
		}
		if input.Assignee.IsSet() {
			t.AssigneeID = assignee
		}
		if input.Due.IsSet() {
			t.DueAt = time.Time{}
			set(&t.DueAt, input.Due.Value())
		}
		return nil
	}
	return taskPayload(r.IncidentTasks.UpdateIncidentTask(ctx, monitor.ViewerFrom(ctx).Actor(), id, input.ExpectedVersion, change))
}

// IncidentTaskDelete takes a task away.
func (r mutationResolver) IncidentTaskDelete(ctx context.Context, input model.IncidentTaskDeleteInput) (*model.IncidentTaskPayload, error) {
	id, err := monitor.ParseIDOf(monitor.KindIncidentTask, input.ID)
	if err != nil {
		return taskPayload(nil, nil, err)
	}
	incident, err := r.IncidentTasks.DeleteIncidentTask(ctx, monitor.ViewerFrom(ctx).Actor(), id)
	return taskPayload(nil, incident, err)
}

func taskPayload(task *monitor.IncidentTask, incident *monitor.Incident, err error) (*model.IncidentTaskPayload, error) {
	mendable, err := userErrors(err)
	return &model.IncidentTaskPayload{Task: task, Incident: incident, Errors: mendable}, err
}

type incidentTaskResolver struct{ *Resolver }

// IncidentTask answers the fields of IncidentTask that are more than a value.
func (r *Resolver) IncidentTask() graph.IncidentTaskResolver { return incidentTaskResolver{r} }

func (incidentTaskResolver) Assignee(ctx context.Context, t *monitor.IncidentTask) (*monitor.User, error) {
	return loadUser(ctx, t.AssigneeID)
}

func (incidentTaskResolver) DueAt(_ context.Context, t *monitor.IncidentTask) (*time.Time, error) {
	return optionalTime(t.DueAt), nil
}

func (incidentTaskResolver) DoneAt(_ context.Context, t *monitor.IncidentTask) (*time.Time, error) {
	return optionalTime(t.DoneAt), nil
}

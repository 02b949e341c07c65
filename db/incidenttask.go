package db

import (
	"context"
	"fmt"
	"time"

	"github.com/doug-martin/goqu/v9"

	"github.com/security-monitor/secmon/monitor"
)

var taskColumns = []string{"id", "incident_id", "version", "title", "done", "assignee_id", "due_at", "created_at", "updated_at", "done_at"}

// AddIncidentTask gives an incident one more task.
func (s *Store) AddIncidentTask(ctx context.Context, actor monitor.Actor, task monitor.IncidentTask) (*monitor.IncidentTask, *monitor.Incident, error) {
	if err := task.Check(); err != nil {
		return nil, nil, err
	}
	incident, err := s.changeIncident(ctx, actor, monitor.ActionIncidentTaskAdd, task.IncidentID, nil, func(t *tx, i *monitor.Incident) error {
		switch {
		case i.Status == monitor.IncidentClosed:
			return monitor.Errorf(monitor.CodeConflict, "the incident is closed; reopen it first")
		case i.TaskCount >= monitor.MaxIncidentTasks:
			return monitor.Errorf(monitor.CodeConflict, "an incident has at most %d tasks", monitor.MaxIncidentTasks)
		}
		i.TaskCount++
		task.ID, task.Version, task.CreatedAt, task.UpdatedAt = monitor.NewID(t.now), 1, t.now, t.now
		if err := exec(ctx, t, dialect.Insert("incident_tasks").Rows(taskRow(&task))); err != nil {
			return err
		}
		change, err := monitor.NewChange(monitor.KindIncidentTask, task.ID, monitor.ActionIncidentTaskAdd, nil, &task)
		t.changes = append(t.changes, change)
		return err
	})
	if err != nil {
		return nil, incident, err
	}
	return &task, incident, nil
}

// UpdateIncidentTask changes a task as UpdateAlert does an alert. Its incident gets
// a new version, so that who follows the incident hears of it.
func (s *Store) UpdateIncidentTask(ctx context.Context, actor monitor.Actor, id monitor.ID, expected *int, change func(*monitor.IncidentTask, time.Time) error) (*monitor.IncidentTask, *monitor.Incident, error) {
	var now *monitor.IncidentTask
	incident, err := s.ofTask(ctx, actor, monitor.ActionIncidentTaskUpdate, id, func(t *tx, i *monitor.Incident, was *monitor.IncidentTask) error {
		now = was
		if expected != nil && *expected != was.Version {
			return monitor.Errorf(monitor.CodeConflict, "the task has changed since: it is at version %d, not %d", was.Version, *expected)
		}
		next := *was
		if err := change(&next, t.now); err != nil {
			return err
		}
		if err := next.Check(); err != nil || next == *was {
			return err
		}
		i.TasksDone += count(next.Done) - count(was.Done)
		now = &next
		return t.writeTask(ctx, was, &next, monitor.ActionIncidentTaskUpdate)
	})
	return now, incident, err
}

// DeleteIncidentTask takes a task away.
func (s *Store) DeleteIncidentTask(ctx context.Context, actor monitor.Actor, id monitor.ID) (*monitor.Incident, error) {
	return s.ofTask(ctx, actor, monitor.ActionIncidentTaskDelete, id, func(t *tx, i *monitor.Incident, was *monitor.IncidentTask) error {
		i.TaskCount--
		i.TasksDone -= count(was.Done)
		if err := exec(ctx, t, dialect.Delete("incident_tasks").Where(goqu.C("id").Eq(id[:]))); err != nil {
			return err
		}
		change, err := monitor.NewChange(monitor.KindIncidentTask, id, monitor.ActionIncidentTaskDelete, was, (*monitor.IncidentTask)(nil))
		t.changes = append(t.changes, change)
		return err
	})
}

func count(is bool) int {
	if is {
		return 1
	}
	return 0
}

// ofTask changes a task and its incident. The incident is locked first, as
// everywhere; a merge that moves the task in between is found out under the lock.
func (s *Store) ofTask(ctx context.Context, actor monitor.Actor, action string, id monitor.ID, fn func(*tx, *monitor.Incident, *monitor.IncidentTask) error) (*monitor.Incident, error) {
	is := goqu.C("id").Eq(id[:])
	incident, found, err := one(ctx, s.db, dialect.From("incident_tasks").Select("incident_id").Where(is), scanID)
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", action, id, err)
	}
	if !found {
		return nil, monitor.Errorf(monitor.CodeNotFound, "there is no such task")
	}
	return s.changeIncident(ctx, actor, action, incident, nil, func(t *tx, i *monitor.Incident) error {
		was, found, err := one(ctx, t, dialect.From("incident_tasks").Select(columnList(taskColumns)...).Where(is).ForUpdate(goqu.Wait), scanTask)
		switch {
		case err != nil:
			return err
		case !found:
			return monitor.Errorf(monitor.CodeNotFound, "there is no such task")
		case was.IncidentID != i.ID:
			return monitor.Errorf(monitor.CodeConflict, "the task has just moved to another incident; try again")
		}
		return fn(t, i, was)
	})
}

// writeTask stores next with a new version and journals the difference.
func (t *tx) writeTask(ctx context.Context, was, next *monitor.IncidentTask, action string) error {
	next.Version, next.UpdatedAt = was.Version+1, t.now
	row := taskRow(next)
	delete(row, "id")
	if err := exec(ctx, t, dialect.Update("incident_tasks").Set(row).Where(goqu.C("id").Eq(next.ID[:]))); err != nil {
		return err
	}
	change, err := monitor.NewChange(monitor.KindIncidentTask, next.ID, action, was, next)
	t.changes = append(t.changes, change)
	return err
}

// TasksOfIncidents gives the tasks of incidents, each incident's oldest first.
func (s *Store) TasksOfIncidents(ctx context.Context, incidents []monitor.ID) ([]*monitor.IncidentTask, error) {
	st := dialect.From("incident_tasks").Select(columnList(taskColumns)...).Where(goqu.C("incident_id").In(idList(incidents))).
		Order(goqu.C("incident_id").Asc(), goqu.C("created_at").Asc(), goqu.C("id").Asc())
	tasks, err := query(ctx, s.db, st, scanTask)
	if err != nil {
		return nil, fmt.Errorf("list tasks of %d incidents: %w", len(incidents), err)
	}
	return tasks, nil
}

// IncidentTasksByID gives the tasks with those ids, in no order; missing ones are left out.
func (s *Store) IncidentTasksByID(ctx context.Context, ids []monitor.ID) ([]*monitor.IncidentTask, error) {
	return byIDs(ctx, s.db, "incident_tasks", taskColumns, ids, scanTask)
}

func taskRow(t *monitor.IncidentTask) goqu.Record {
	return goqu.Record{
		"id": t.ID[:], "incident_id": t.IncidentID[:], "version": t.Version, "title": t.Title, "done": t.Done, "assignee_id": nullID(t.AssigneeID),
		"due_at": nullTime(t.DueAt), "created_at": t.CreatedAt, "updated_at": t.UpdatedAt, "done_at": nullTime(t.DoneAt),
	}
}

func scanTask(r scanner) (*monitor.IncidentTask, error) {
	t := &monitor.IncidentTask{}
	return t, r.Scan(idColumn{&t.ID}, idColumn{&t.IncidentID}, &t.Version, &t.Title, &t.Done, idColumn{&t.AssigneeID}, timeColumn{&t.DueAt},
		timeColumn{&t.CreatedAt}, timeColumn{&t.UpdatedAt}, timeColumn{&t.DoneAt})
}

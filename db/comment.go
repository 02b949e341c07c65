package db

import (
	"context"
	"fmt"
	"time"

	"github.com/doug-martin/goqu/v9"

	"github.com/security-monitor/secmon/monitor"
	"github.com/security-monitor/secmon/page"
)

var commentColumns = []string{"id", "alert_id", "incident_id", "author_id", "body", "created_at"}

// AddComment writes a comment and counts it on its alert.
func (s *Store) AddComment(ctx context.Context, actor monitor.Actor, c monitor.Comment) (*monitor.Comment, *monitor.Alert, error) {
	if err := c.Check(); err != nil {
		return nil, nil, err
	}
	var alert *monitor.Alert
	err := s.change(ctx, actor, monitor.ActionAlertComment, func(t *tx) error {
		was, err := t.lockAlert(ctx, c.AlertID)
		if err != nil {
			return err
		}
		c.ID, c.CreatedAt = monitor.NewID(t.now), t.now
		if err := t.insertComment(ctx, &c); err != nil {
			return err
		}
		next := *was
		next.Comments++
		if err := t.writeAlert(ctx, was, &next, monitor.ActionAlertComment); err != nil {
			return err
		}
		alert = &next
		change, err := monitor.NewChange(monitor.KindComment, c.ID, monitor.ActionAlertComment, nil, &c)
		t.changes = append(t.changes, change)
		return err
	})
	if err != nil {
		return nil, nil, fmt.Errorf("comment on alert %s: %w", c.AlertID, err)
	}
	return &c, alert, nil
}

// AddIncidentComment writes a comment and counts it on its incident.
func (s *Store) AddIncidentComment(ctx context.Context, actor monitor.Actor, c monitor.Comment) (*monitor.Comment, *monitor.Incident, error) {
	if err := c.Check(); err != nil {
		return nil, nil, err
	}
	incident, err := s.changeIncident(ctx, actor, monitor.ActionIncidentComment, c.IncidentID, nil, func(t *tx, i *monitor.Incident) error {
		i.CommentCount++
		c.ID, c.CreatedAt = monitor.NewID(t.now), t.now
		if err := t.insertComment(ctx, &c); err != nil {
			return err
		}
		change, err := monitor.NewChange(monitor.KindComment, c.ID, monitor.ActionIncidentComment, nil, &c)
		t.changes = append(t.changes, change)
		return err
	})
	if err != nil {
		return nil, incident, err
	}
	return &c, incident, nil
}

func (t *tx) insertComment(ctx context.Context, c *monitor.Comment) error {
	return exec(ctx, t, dialect.Insert("comments").Rows(commentRow(c)))
}

// CommentsOf gives one page of an alert's comments, oldest first.
func (s *Store) CommentsOf(ctx context.Context, alert monitor.ID, args page.Args) (*monitor.CommentConnection, error) {
	return s.commentsWhere(ctx, goqu.C("alert_id").Eq(alert[:]), args)
}

// CommentsOfIncident gives one page of an incident's comments, oldest first.
func (s *Store) CommentsOfIncident(ctx context.Context, incident monitor.ID, args page.Args) (*monitor.CommentConnection, error) {
	return s.commentsWhere(ctx, goqu.C("incident_id").Eq(incident[:]), args)
}

func (s *Store) commentsWhere(ctx context.Context, which goqu.Expression, args page.Args) (*monitor.CommentConnection, error) {
	st := dialect.From("comments").Select(columnList(commentColumns)...).Where(which).
		Order(goqu.C("created_at").Asc(), goqu.C("id").Asc()).Limit(uint(args.First + 1)) //nolint:gosec // checked by the caller
	if args.After != "" {
		var at time.Time
		var id monitor.ID
		if err := page.DecodeCursor(args.After, &at, &id); err != nil {
			return nil, monitor.Errorf(monitor.CodeBadInput, "after: %v", err)
		}
		st = st.Where(after([]string{"created_at", "id"}, []any{at, id[:]}))
	}
	comments, err := query(ctx, s.db, st, scanComment)
	if err != nil {
		return nil, fmt.Errorf("list comments: %w", err)
	}
	return page.Build(comments, args, func(c *monitor.Comment) string { return page.EncodeCursor(c.CreatedAt, c.ID) }), nil
}

// Comment gives one comment.
func (s *Store) Comment(ctx context.Context, id monitor.ID) (*monitor.Comment, bool, error) {
	return one(ctx, s.db, dialect.From("comments").Select(columnList(commentColumns)...).Where(goqu.C("id").Eq(id[:])), scanComment)
}

func commentRow(c *monitor.Comment) goqu.Record {
	return goqu.Record{
		"id": c.ID[:], "alert_id": nullID(c.AlertID), "incident_id": nullID(c.IncidentID), "author_id": nullID(c.AuthorID), "body": c.Body, "created_at": c.CreatedAt,
	}
}

func scanComment(r scanner) (*monitor.Comment, error) {
	c := &monitor.Comment{}
	return c, r.Scan(idColumn{&c.ID}, idColumn{&c.AlertID}, idColumn{&c.IncidentID}, idColumn{&c.AuthorID}, &c.Body, timeColumn{&c.CreatedAt})
}

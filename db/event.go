package db

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/doug-martin/goqu/v9"

	"github.com/security-monitor/secmon/monitor"
	"github.com/security-monitor/secmon/page"
)

var eventColumns = []string{
	"batch", "ordinal", "occurred_at", "received_at", "class", "action", "outcome", "severity", "product", "category",
	"service", "format", "host", "user", "src_ip", "src_port", "dst_ip", "dst_port", "process", "command",
	"file_hash", "file_path", "domain", "url", "message", "raw",
}

var eventFilterColumns = map[monitor.FilterField]column{
	"occurredAt":      {names: []string{"occurred_at"}},
	"receivedAt":      {names: []string{"received_at"}},
	"class":           {names: []string{"class"}},
	"action":          {names: []string{"action"}},
	"outcome":         {names: []string{"outcome"}},
	"severity":        {names: []string{"severity"}, rank: true},
	"product":         {names: []string{"product"}},
	"category":        {names: []string{"category"}},
	"service":         {names: []string{"service"}},
	"format":          {names: []string{"format"}},
	"host":            {names: []string{"host"}, folded: true},
	"user":            {names: []string{"user"}, folded: true},
	"sourceIp":        {names: []string{"src_ip"}},
	"sourcePort":      {names: []string{"src_port"}},
	"destinationIp":   {names: []string{"dst_ip"}},
	"destinationPort": {names: []string{"dst_port"}},
	"process":         {names: []string{"process"}},
	"command":         {names: []string{"command"}},
	"fileHash":        {names: []string{"file_hash"}, folded: true},
	"filePath":        {names: []string{"file_path"}},
	"domain":          {names: []string{"domain"}, folded: true},
	"url":             {names: []string{"url"}},
	"message":         {names: []string{"message"}},
	"raw":             {names: []string{"raw"}},
}

// eventPageBytes bounds the records of one page: a record may have a MiB.
const eventPageBytes = 16 << 20

// Events gives one page of the events that match. A page of large records is shorter
// than asked for, and says that there are more.
func (s *Store) Events(ctx context.Context, filter *monitor.EventFilter, order monitor.EventOrder, args page.Args) (*monitor.EventConnection, error) {
	p, err := filter.Compile()
	if err != nil {
		return nil, err
	}
	keys := []string{"occurred_at", "batch", "ordinal"}
	if order == monitor.EventsByReceived {
		keys = []string{"day", "batch", "ordinal"}
	}
	st := dialect.From("events").Select(columnList(eventColumns)...).Where(condition(&p, eventFilterColumns, s.now())).
		Order(descending(keys)...).Limit(uint(args.First + 1)) //nolint:gosec // checked by the caller
	if args.After != "" {
		var at time.Time
		var id monitor.EventID
		if err := page.DecodeCursor(args.After, &at, &id); err != nil {
			return nil, monitor.Errorf(monitor.CodeBadInput, "after: %v", err)
		}
		st = st.Where(before(keys, []any{at, id.Batch[:], id.Ordinal}))
	}
	left := eventPageBytes
	events, err := queryWhile(ctx, s.db, st, scanEvent, func(e *monitor.Event) bool {
		left -= len(e.Raw)
		return left > 0
	})
	if err != nil {
		return nil, fmt.Errorf("list events: %w", err)
	}
	found := page.Build(events, args, func(e *monitor.Event) string { return eventCursor(order, e) })
	found.PageInfo.HasNextPage = found.PageInfo.HasNextPage || left <= 0
	return found, nil
}

// eventCursor is an event's place in the list of that order.
func eventCursor(order monitor.EventOrder, e *monitor.Event) string {
	if order == monitor.EventsByReceived {
		return page.EncodeCursor(e.ID.Day(), e.ID)
	}
	return page.EncodeCursor(e.OccurredAt, e.ID)
}

// EventsByID gives the events with those ids, in no order; the ones past
// retention are missing.
func (s *Store) EventsByID(ctx context.Context, ids []monitor.EventID) ([]*monitor.Event, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	st := dialect.From("events").Select(columnList(eventColumns)...).Where(withID(ids))
	events, err := query(ctx, s.db, st, scanEvent)
	if err != nil {
		return nil, fmt.Errorf("load %d events: %w", len(ids), err)
	}
	return events, nil
}

// withID asks for events by their primary key.
func withID(ids []monitor.EventID) goqu.Expression {
	anyOf := make([]goqu.Expression, len(ids))
	for i, id := range ids {
		anyOf[i] = goqu.Ex{"day": id.Day(), "batch": append([]byte(nil), id.Batch[:]...), "ordinal": id.Ordinal}
	}
	return goqu.Or(anyOf...)
}

// EventsOfBatch gives all events of a batch in the order of storing.
func (s *Store) EventsOfBatch(ctx context.Context, batch monitor.ID) ([]*monitor.Event, error) {
	st := dialect.From("events").Select(columnList(eventColumns)...).
		Where(goqu.C("day").Eq(monitor.EventID{Batch: batch}.Day()), goqu.C("batch").Eq(batch[:])).Order(goqu.C("ordinal").Asc())
	events, err := query(ctx, s.db, st, scanEvent)
	if err != nil {
		return nil, fmt.Errorf("load events of batch %s: %w", batch, err)
	}
	return events, nil
}

// insertEvent has the columns in the order of eventValues.
var insertEvent = newManyRows("events", append([]string{"day"}, eventColumns...)...)

// preparedEvents is how many events the prepared statement takes: it has at most 65,535
// parameters, and each connection keeps it.
const preparedEvents = 200

func eventValues(e *monitor.Event) []any {
	return []any{
		e.ID.Day(), e.ID.Batch[:], e.ID.Ordinal, e.OccurredAt, e.ReceivedAt, string(e.Class), e.Action, string(e.Outcome), e.Severity.Rank(),
		e.LogSource.Product, e.LogSource.Category, e.LogSource.Service, e.Format, e.Host, e.User,
		ipBytes(e.SrcIP), e.SrcPort, ipBytes(e.DstIP), e.DstPort, e.Process, e.Command, e.FileHash, e.FilePath, e.Domain, e.URL,
		e.Message, json.RawMessage(e.Raw), // which the driver takes for text
	}
}

func scanEvent(r scanner) (*monitor.Event, error) {
	e := &monitor.Event{}
	var severity int
	var raw []byte
	err := r.Scan(idColumn{&e.ID.Batch}, &e.ID.Ordinal, timeColumn{&e.OccurredAt}, timeColumn{&e.ReceivedAt}, &e.Class, &e.Action, &e.Outcome, &severity,
		&e.LogSource.Product, &e.LogSource.Category, &e.LogSource.Service, &e.Format, &e.Host, &e.User, ipColumn{&e.SrcIP}, &e.SrcPort,
		ipColumn{&e.DstIP}, &e.DstPort, &e.Process, &e.Command, &e.FileHash, &e.FilePath, &e.Domain, &e.URL, &e.Message, &raw)
	e.Severity = severityOf(severity)
	e.Raw = raw
	return e, err
}

// severityOf gives the severity of a rank; an unknown rank is informational.
func severityOf(rank int) monitor.Severity {
	if rank < 0 || rank >= len(monitor.Severities) {
		return monitor.SeverityInformational
	}
	return monitor.Severities[rank]
}

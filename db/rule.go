package db

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/doug-martin/goqu/v9"

	"github.com/security-monitor/secmon/monitor"
	"github.com/security-monitor/secmon/page"
)

var ruleColumns = []string{
	"id", "version", "title", "description", "level", "status", "author", "refs", "false_pos", "tags", "techniques", "product", "category",
	"service", "fields_shown", "source", "path", "enabled", "state", "state_reason", "created_at", "updated_at", "kind", "name", "was_enabled",
}

var ruleFilterColumns = map[monitor.FilterField]column{
	"title":      {names: []string{"title"}},
	"level":      {names: []string{"level"}, rank: true},
	"enabled":    {names: []string{"enabled"}},
	"wasEnabled": {names: []string{"was_enabled"}},
	"state":      {names: []string{"state"}},
	"kind":       {names: []string{"kind"}},
	"product":    {names: []string{"product"}},
	"category":   {names: []string{"category"}},
	"service":    {names: []string{"service"}},
	"techniques": {names: []string{"techniques"}, upper: true},
}

// ImportReport says what became of imported rules.
type ImportReport struct {
	Added     int
	Updated   int
	Unchanged int
}

// ImportRules stores rules by their id: new ones as they are, changed ones as a
// new version that keeps whether the rule is enabled. All in one transaction.
// Whether they run is judged by the lists of placeholders that are there at its
// commit, whatever there was when they were read.
func (s *Store) ImportRules(ctx context.Context, actor monitor.Actor, rules []*monitor.Rule) (ImportReport, error) {
	var report ImportReport
	err := s.change(ctx, actor, monitor.ActionRuleImport, func(t *tx) error {
		report = ImportReport{}
		lists, err := t.lockRuleTexts(ctx)
		if err != nil {
			return err
		}
		rules := s.judged(rules, lists)
		for chunk := range slices.Chunk(rules, 200) {
			if err := t.importRules(ctx, monitor.ActionRuleImport, chunk, &report); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return ImportReport{}, fmt.Errorf("import %d rules: %w", len(rules), err)
	}
	return report, nil
}

// lockRuleTexts lets one transaction at a time write texts of rules, and none while
// the lists change that they read: two imports of one new rule would both make its
// first version. It comes before any lock of a rule.
func (t *tx) lockRuleTexts(ctx context.Context) (monitor.Placeholders, error) {
	set, err := t.lockPlaceholders(ctx)
	if err != nil {
		return nil, fmt.Errorf("lock texts of rules: %w", err)
	}
	return set.Lists(), nil
}

// judged gives the rules with the states that they have with these lists.
func (s *Store) judged(rules []*monitor.Rule, lists monitor.Placeholders) []*monitor.Rule {
	if s.judge == nil {
		return rules
	}
	out := make([]*monitor.Rule, len(rules))
	for i, r := range rules {
		out[i] = r
		if strings.Contains(r.Source, readsLists) {
			next := *r
			next.State, next.StateReason = s.judge(r.Source, lists)
			out[i] = &next
		}
	}
	return out
}

func (t *tx) importRules(ctx context.Context, action string, rules []*monitor.Rule, report *ImportReport) error {
	ids := make([]monitor.ID, len(rules))
	for i, r := range rules {
		ids[i] = r.ID
	}
	st := dialect.From("rules").Select(columnList(ruleColumns)...).Where(goqu.C("id").In(idList(ids))).Order(goqu.C("id").Asc()).ForUpdate(goqu.Wait)
	known, err := query(ctx, t, st, scanRule)
	if err != nil {
		return fmt.Errorf("lock rules: %w", err)
	}
	was := make(map[monitor.ID]*monitor.Rule, len(known))
	for _, r := range known {
		was[r.ID] = r
	}
	var rows, versions []any
	for _, r := range rules {
		old, next := was[r.ID], *r
		next.UpdatedAt = t.now
		switch {
		case old == nil:
			next.Version, next.CreatedAt, next.WasEnabled = 1, t.now, r.Enabled
			report.Added++
		case old.Source == r.Source && old.State == r.State && old.StateReason == r.StateReason && kindOf(old) == kindOf(r) && old.Name == r.Name:
			report.Unchanged++
			continue
		default:
			next.Version, next.CreatedAt, next.Enabled, next.WasEnabled = old.Version+1, old.CreatedAt, old.Enabled, old.WasEnabled
			report.Updated++
		}
		change, err := monitor.NewChange(monitor.KindRule, next.ID, action, old, &next)
		if err != nil {
			return err
		}
		was[r.ID] = &next
		t.changes = append(t.changes, change)
		rows = append(rows, ruleRow(&next))
		versions = append(versions, goqu.Record{"rule_id": append([]byte(nil), next.ID[:]...), "version": next.Version, "source": next.Source, "created_at": t.now, "created_by": jsonColumn{t.actor}})
	}
	if len(rows) == 0 {
		return nil
	}
	values := goqu.Record{}
	for _, name := range ruleColumns[1:] {
		values[name] = goqu.L("VALUES(?)", goqu.C(name))
	}
	if err := exec(ctx, t, dialect.Insert("rules").Rows(rows...).OnConflict(goqu.DoUpdate("", values))); err != nil {
		return fmt.Errorf("write rules: %w", err)
	}
	return insertChunks(ctx, t, "rule_versions", versions, 500)
}

// EnabledRules gives every rule that is enabled and active, for the engine.
func (s *Store) EnabledRules(ctx context.Context) ([]*monitor.Rule, error) {
	st := dialect.From("rules").Select(columnList(ruleColumns)...).
		Where(goqu.C("enabled").Eq(1), goqu.C("state").Eq(string(monitor.RuleActive))).Order(goqu.C("id").Asc())
	rules, err := query(ctx, s.db, st, scanRule)
	if err != nil {
		return nil, fmt.Errorf("load enabled rules: %w", err)
	}
	return rules, nil
}

// EnabledRuleMarks tells which rules are enabled and active, and of which state of
// theirs, for the engine.
func (s *Store) EnabledRuleMarks(ctx context.Context) ([]monitor.RuleMark, error) {
	st := dialect.From("rules").Select("id", "version", "updated_at").
		Where(goqu.C("enabled").Eq(1), goqu.C("state").Eq(string(monitor.RuleActive))).Order(goqu.C("id").Asc())
	marks, err := query(ctx, s.db, st, func(r scanner) (m monitor.RuleMark, err error) {
		return m, r.Scan(idColumn{&m.ID}, &m.Version, timeColumn{&m.UpdatedAt})
	})
	if err != nil {
		return nil, fmt.Errorf("mark enabled rules: %w", err)
	}
	return marks, nil
}

// Rules gives one page of the rules that match, by title.
func (s *Store) Rules(ctx context.Context, filter *monitor.RuleFilter, args page.Args) (*monitor.RuleConnection, error) {
	p, err := filter.Compile()
	if err != nil {
		return nil, err
	}
	st := dialect.From("rules").Select(columnList(ruleColumns)...).Where(condition(&p, ruleFilterColumns, s.now())).
		Order(goqu.C("title").Asc(), goqu.C("id").Asc()).Limit(uint(args.First + 1)) //nolint:gosec // checked by the caller
	if args.After != "" {
		var title string
		var id monitor.ID
		if err := page.DecodeCursor(args.After, &title, &id); err != nil {
			return nil, monitor.Errorf(monitor.CodeBadInput, "after: %v", err)
		}
		st = st.Where(after([]string{"title", "id"}, []any{title, id[:]}))
	}
	rules, err := query(ctx, s.db, st, scanRule)
	if err != nil {
		return nil, fmt.Errorf("list rules: %w", err)
	}
	return page.Build(rules, args, func(r *monitor.Rule) string { return page.EncodeCursor(r.Title, r.ID) }), nil
}

// CountRules counts the rules that match, up to bound.
func (s *Store) CountRules(ctx context.Context, filter *monitor.RuleFilter, bound int) (int, error) {
	p, err := filter.Compile()
	if err != nil {
		return 0, err
	}
	matching := dialect.From("rules").Select(goqu.L("1")).Where(condition(&p, ruleFilterColumns, s.now())).Limit(uint(bound)) //nolint:gosec // a constant of the caller's
	n, _, err := one(ctx, s.db, dialect.From(matching.As("m")).Select(goqu.COUNT(goqu.Star())), scanInt)
	if err != nil {
		return 0, fmt.Errorf("count rules: %w", err)
	}
	return n, nil
}

// RulesByID gives the rules with those ids, in no order; missing ones are left out.
func (s *Store) RulesByID(ctx context.Context, ids []monitor.ID) ([]*monitor.Rule, error) {
	return byIDs(ctx, s.db, "rules", ruleColumns, ids, scanRule)
}

// SetRuleEnabled lets a rule fire or stops it. Errors and the given rule are as
// in UpdateAlert.
func (s *Store) SetRuleEnabled(ctx context.Context, actor monitor.Actor, id monitor.ID, expected *int, enabled bool) (*monitor.Rule, error) {
	action := monitor.ActionRuleDisable
	if enabled {
		action = monitor.ActionRuleEnable
	}
	var now *monitor.Rule
	err := s.change(ctx, actor, action, func(t *tx) error {
		was, found, err := t.lockRule(ctx, id)
		if err != nil {
			return err
		}
		if !found {
			return monitor.Errorf(monitor.CodeNotFound, "there is no such rule")
		}
		now = was
		switch {
		case expected != nil && *expected != was.Version:
			return monitor.Errorf(monitor.CodeConflict, "the rule has changed since: it is at version %d, not %d", was.Version, *expected)
		case was.Enabled == enabled:
			return nil
		}
		next := *was
		next.Enabled, next.WasEnabled, next.UpdatedAt = enabled, was.WasEnabled || was.Enabled || enabled, t.now
		update := dialect.Update("rules").Set(goqu.Record{"enabled": enabled, "was_enabled": next.WasEnabled, "updated_at": t.now}).Where(goqu.C("id").Eq(id[:]))
		if err := exec(ctx, t, update); err != nil {
			return err
		}
		change, err := monitor.NewChange(monitor.KindRule, id, action, was, &next)
		t.changes = append(t.changes, change)
		now = &next
		return err
	})
	if err != nil {
		return now, fmt.Errorf("%s %s: %w", action, id, err)
	}
	return now, nil
}

func ruleRow(r *monitor.Rule) goqu.Record {
	return goqu.Record{
		"id": append([]byte(nil), r.ID[:]...), "version": r.Version, "title": r.Title, "description": r.Description, "level": r.Level.Rank(),
		"status": r.Status, "author": r.Author, "refs": jsonColumn{list(r.References)}, "false_pos": jsonColumn{list(r.FalsePos)},
		"tags": jsonColumn{list(r.Tags)}, "techniques": jsonColumn{list(r.Techniques)}, "product": r.LogSource.Product,
		"category": r.LogSource.Category, "service": r.LogSource.Service, "fields_shown": jsonColumn{list(r.FieldsShown)}, "source": r.Source,
		"path": r.Path, "enabled": r.Enabled, "state": string(r.State), "state_reason": r.StateReason, "created_at": r.CreatedAt, "updated_at": r.UpdatedAt,
		"kind": string(kindOf(r)), "name": r.Name,
		"was_enabled": r.WasEnabled,
	}
}

func kindOf(r *monitor.Rule) monitor.RuleKind { return cmp.Or(r.Kind, monitor.DetectionRule) }

// list keeps null out of the JSON columns.
func list(words []string) []string {
	if words == nil {
		return []string{}
	}
	return words
}

func scanRule(r scanner) (*monitor.Rule, error) {
	rule := &monitor.Rule{}
	var level int
	var created, updated time.Time
	err := r.Scan(idColumn{&rule.ID}, &rule.Version, &rule.Title, &rule.Description, &level, &rule.Status, &rule.Author, jsonColumn{&rule.References},
		jsonColumn{&rule.FalsePos}, jsonColumn{&rule.Tags}, jsonColumn{&rule.Techniques}, &rule.LogSource.Product, &rule.LogSource.Category,
		&rule.LogSource.Service, jsonColumn{&rule.FieldsShown}, &rule.Source, &rule.Path, &rule.Enabled, &rule.State, &rule.StateReason,
		timeColumn{&created}, timeColumn{&updated}, &rule.Kind, &rule.Name, &rule.WasEnabled)
	rule.Level, rule.CreatedAt, rule.UpdatedAt = severityOf(level), created, updated
	return rule, err
}

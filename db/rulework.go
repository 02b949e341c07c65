package db

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/doug-martin/goqu/v9"

	"github.com/security-monitor/secmon/monitor"
	"github.com/security-monitor/secmon/page"
)

// CreateRule stores a rule that is not there yet; CONFLICT where one has its id,
// which is then given.
func (s *Store) CreateRule(ctx context.Context, actor monitor.Actor, rule *monitor.Rule) (*monitor.Rule, error) {
	var now *monitor.Rule
	err := s.change(ctx, actor, monitor.ActionRuleCreate, func(t *tx) error {
		lists, err := t.lockRuleTexts(ctx)
		if err != nil {
			return err
		}
		was, found, err := t.lockRule(ctx, rule.ID)
		if err != nil {
			return err
		}
		if found {
			now = was
			return monitor.Errorf(monitor.CodeConflict, "there is a rule with this id already: %q", was.Title)
		}
		now, err = t.writeRule(ctx, monitor.ActionRuleCreate, s.judged([]*monitor.Rule{rule}, lists)[0])
		return err
	})
	if err != nil {
		return now, fmt.Errorf("create rule %s: %w", rule.ID, err)
	}
	return now, nil
}

// UpdateRule gives a rule what another text says, as a new version; the same text
// changes nothing. Errors and the given rule are as in UpdateAlert.
func (s *Store) UpdateRule(ctx context.Context, actor monitor.Actor, expected *int, rule *monitor.Rule) (*monitor.Rule, error) {
	var now *monitor.Rule
	err := s.change(ctx, actor, monitor.ActionRuleUpdate, func(t *tx) error {
		lists, err := t.lockRuleTexts(ctx)
		if err != nil {
			return err
		}
		was, found, err := t.lockRule(ctx, rule.ID)
		if err != nil {
			return err
		}
		if !found {
			return monitor.Errorf(monitor.CodeNotFound, "there is no such rule")
		}
		now = was
		if expected != nil && *expected != was.Version {
			return monitor.Errorf(monitor.CodeConflict, "the rule has changed since: it is at version %d, not %d", was.Version, *expected)
		}
		next := *s.judged([]*monitor.Rule{rule}, lists)[0]
		next.Path = was.Path
		now, err = t.writeRule(ctx, monitor.ActionRuleUpdate, &next)
		return err
	})
	if err != nil {
		return now, fmt.Errorf("update rule %s: %w", rule.ID, err)
	}
	return now, nil
}

func (t *tx) lockRule(ctx context.Context, id monitor.ID) (*monitor.Rule, bool, error) {
	st := dialect.From("rules").Select(columnList(ruleColumns)...).Where(goqu.C("id").Eq(id[:])).ForUpdate(goqu.Wait)
	return one(ctx, t, st, scanRule)
}

func (t *tx) writeRule(ctx context.Context, action string, rule *monitor.Rule) (*monitor.Rule, error) {
	if err := t.importRules(ctx, action, []*monitor.Rule{rule}, &ImportReport{}); err != nil {
		return nil, err
	}
	now, _, err := one(ctx, t, dialect.From("rules").Select(columnList(ruleColumns)...).Where(goqu.C("id").Eq(rule.ID[:])), scanRule)
	return now, err
}

// RuleVersions gives one page of what a rule has been, the newest first.
func (s *Store) RuleVersions(ctx context.Context, rule monitor.ID, args page.Args) (*monitor.RuleVersionConnection, error) {
	st := dialect.From("rule_versions").Select("version", "source", "created_at", "created_by").Where(goqu.C("rule_id").Eq(rule[:])).
		Order(goqu.C("version").Desc()).Limit(uint(args.First + 1)) //nolint:gosec // checked by the caller
	if args.After != "" {
		var before int64
		if err := page.DecodeCursor(args.After, &before); err != nil {
			return nil, monitor.Errorf(monitor.CodeBadInput, "after: %v", err)
		}
		st = st.Where(goqu.C("version").Lt(before))
	}
	versions, err := query(ctx, s.db, st, func(r scanner) (*monitor.RuleVersion, error) {
		v := &monitor.RuleVersion{}
		return v, r.Scan(&v.Version, &v.Source, timeColumn{&v.CreatedAt}, jsonColumn{&v.CreatedBy})
	})
	if err != nil {
		return nil, fmt.Errorf("versions of rule %s: %w", rule, err)
	}
	return page.Build(versions, args, func(v *monitor.RuleVersion) string { return page.EncodeCursor(int64(v.Version)) }), nil
}

// RuleTexts gives the texts of versions of rules, in no order; those that are not
// stored are left out.
func (s *Store) RuleTexts(ctx context.Context, of []monitor.RuleAt) ([]*monitor.RuleText, error) {
	var out []*monitor.RuleText
	for chunk := range slices.Chunk(of, insertEvents) {
		which := make([]goqu.Expression, len(chunk))
		for i, at := range chunk {
			which[i] = goqu.And(goqu.C("rule_id").Eq(append([]byte(nil), at.ID[:]...)), goqu.C("version").Eq(at.Version))
		}
		found, err := query(ctx, s.db, dialect.From("rule_versions").Select("rule_id", "version", "source").Where(goqu.Or(which...)), func(r scanner) (*monitor.RuleText, error) {
			t := &monitor.RuleText{}
			return t, r.Scan(idColumn{&t.ID}, &t.Version, &t.Source)
		})
		if err != nil {
			return nil, fmt.Errorf("texts of %d versions of rules: %w", len(of), err)
		}
		out = append(out, found...)
	}
	return out, nil
}

// RulesAmong gives those of the rules with the ids that match, in no order.
func (s *Store) RulesAmong(ctx context.Context, filter *monitor.RuleFilter, ids []monitor.ID) ([]*monitor.Rule, error) {
	p, err := filter.Compile()
	if err != nil || len(ids) == 0 {
		return nil, err
	}
	st := dialect.From("rules").Select(columnList(ruleColumns)...).Where(goqu.C("id").In(idList(ids)), condition(&p, ruleFilterColumns, s.now()))
	rules, err := query(ctx, s.db, st, scanRule)
	if err != nil {
		return nil, fmt.Errorf("load rules among %d: %w", len(ids), err)
	}
	return rules, nil
}

// RuleActivities counts the alerts of rules since then, and since the last day.
// Rules without any are left out; nil rules are all.
func (s *Store) RuleActivities(ctx context.Context, rules []monitor.ID) ([]*monitor.RuleActivity, error) {
	now := s.now()
	st := dialect.From("alerts").
		Select("rule_id", goqu.COUNT(goqu.Star()), countIf(goqu.C("last_seen").Gte(now.Add(-24*time.Hour))),
			countIf(goqu.C("status").Eq(string(monitor.AlertClosed))),
			countIf(goqu.C("disposition").In(string(monitor.FalsePositive), string(monitor.Benign))), goqu.MAX("last_seen")).
		Where(goqu.C("last_seen").Gte(now.Add(-monitor.RuleActivityWindow))).GroupBy("rule_id")
	if rules != nil {
		st = st.Where(goqu.C("rule_id").In(idList(rules)))
	}
	found, err := query(ctx, s.db, st, func(r scanner) (*monitor.RuleActivity, error) {
		a := &monitor.RuleActivity{}
		return a, r.Scan(idColumn{&a.Rule}, &a.Alerts, &a.AlertsLastDay, &a.Closed, &a.FalsePositives, timeColumn{&a.LastFired})
	})
	if err != nil {
		return nil, fmt.Errorf("count alerts of %d rules: %w", len(rules), err)
	}
	return found, nil
}

// TechniquesOfRules gives what coverage needs of every rule that names a technique,
// and of every correlation.
func (s *Store) TechniquesOfRules(ctx context.Context) ([]*monitor.RuleTechniques, error) {
	isCorrelation := goqu.C("kind").Eq(string(monitor.CorrelationRule))
	st := dialect.From("rules").Select("id", "techniques", "enabled", "state", "kind", "name", goqu.Case().When(isCorrelation, goqu.C("source")).Else("")).
		Where(goqu.Or(goqu.L("JSON_LENGTH(techniques)").Gt(0), isCorrelation))
	found, err := query(ctx, s.db, st, func(r scanner) (*monitor.RuleTechniques, error) {
		t := &monitor.RuleTechniques{}
		var enabled bool
		var state monitor.RuleState
		err := r.Scan(idColumn{&t.ID}, jsonColumn{&t.Techniques}, &enabled, &state, &t.Kind, &t.Name, &t.Source)
		t.Runs = enabled && state == monitor.RuleActive
		return t, err
	})
	if err != nil {
		return nil, fmt.Errorf("techniques of rules: %w", err)
	}
	return found, nil
}

// AlertsByRule counts the alerts of each rule that matched since then.
func (s *Store) AlertsByRule(ctx context.Context, since time.Time) (map[monitor.ID]int, error) {
	st := dialect.From("alerts").Select("rule_id", goqu.COUNT(goqu.Star())).Where(goqu.C("last_seen").Gte(since)).GroupBy("rule_id")
	out := map[monitor.ID]int{}
	_, err := query(ctx, s.db, st, func(r scanner) (struct{}, error) {
		var id monitor.ID
		var n int
		err := r.Scan(idColumn{&id}, &n)
		out[id] = n
		return struct{}{}, err
	})
	if err != nil {
		return nil, fmt.Errorf("count alerts by rule: %w", err)
	}
	return out, nil
}

// timedAlerts is of how many alerts waiting times are made, the latest ones.
const timedAlerts = 10_000

// AlertTimes tells how long the latest alerts that match waited for people.
func (s *Store) AlertTimes(ctx context.Context, filter *monitor.AlertFilter) (*monitor.AlertTimes, error) {
	p, err := filter.Compile()
	if err != nil {
		return nil, err
	}
	out := &monitor.AlertTimes{}
	for _, each := range []struct {
		column string
		into   *monitor.WaitingTime
	}{{"acknowledged_at", &out.Acknowledged}, {"closed_at", &out.Resolved}} {
		st := dialect.From("alerts").Select("created_at", each.column).
			Where(condition(&p, alertFilterColumns, s.now()), goqu.C(each.column).IsNotNull()).
			Order(goqu.C("last_seen").Desc(), goqu.C("id").Desc()).Limit(timedAlerts)
		times, err := query(ctx, s.db, st, func(r scanner) (time.Duration, error) {
			var from, to time.Time
			err := r.Scan(timeColumn{&from}, timeColumn{&to})
			return max(0, to.Sub(from)), err
		})
		if err != nil {
			return nil, fmt.Errorf("waiting times of alerts: %w", err)
		}
		*each.into = monitor.NewWaitingTime(times)
	}
	return out, nil
}

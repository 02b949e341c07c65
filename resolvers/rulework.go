package resolvers

import (
	"context"
	"time"

	"github.com/security-monitor/secmon/attack"
	"github.com/security-monitor/secmon/graph"
	"github.com/security-monitor/secmon/graph/model"
	"github.com/security-monitor/secmon/monitor"
	"github.com/security-monitor/secmon/page"
)

type (
	ruleCheckResolver      struct{ *Resolver }
	ruleTestResultResolver struct{ *Resolver }
	ruleActivityResolver   struct{ *Resolver }
	ruleTestResolver       struct{ *Resolver }
)

// RuleCheck answers the fields of RuleCheck that are more than a value.
func (r *Resolver) RuleCheck() graph.RuleCheckResolver { return ruleCheckResolver{r} }

// RuleTest answers the fields of RuleTest that are more than a value.
func (r *Resolver) RuleTest() graph.RuleTestResolver { return ruleTestResolver{r} }

func (ruleTestResolver) Filters(ctx context.Context, t *monitor.RuleTest) ([]*monitor.Rule, error) {
	return loadRules(ctx, t.Filters)
}

// RuleTestResult answers the fields of RuleTestResult that are more than a value.
func (r *Resolver) RuleTestResult() graph.RuleTestResultResolver { return ruleTestResultResolver{r} }

// RuleActivity answers the fields of RuleActivity that are more than a value.
func (r *Resolver) RuleActivity() graph.RuleActivityResolver { return ruleActivityResolver{r} }

// RuleCheck says what the engine makes of a rule that is being written.
func (r queryResolver) RuleCheck(ctx context.Context, source string) (*monitor.RuleCheck, error) {
	rule, problem := r.Bench.Parse(source, nil)
	check := &monitor.RuleCheck{Rule: rule, Problem: problem}
	if rule == nil {
		return check, nil
	}
	existing, err := r.Resolver.Rules.RulesByID(ctx, []monitor.ID{rule.ID})
	if err == nil && len(existing) > 0 {
		check.Existing = existing[0]
	}
	return check, err
}

// orEmpty is the rule that was read, or one that says nothing.
func orEmpty(c *monitor.RuleCheck) *monitor.Rule {
	if c.Rule == nil {
		return &monitor.Rule{State: monitor.RuleInvalid, Level: monitor.SeverityMedium, Techniques: []string{}}
	}
	return c.Rule
}

func (ruleCheckResolver) State(_ context.Context, c *monitor.RuleCheck) (monitor.RuleState, error) {
	return orEmpty(c).State, nil
}

func (ruleCheckResolver) StateReason(_ context.Context, c *monitor.RuleCheck) (*string, error) {
	return optional(orEmpty(c).StateReason), nil
}

func (ruleCheckResolver) Title(_ context.Context, c *monitor.RuleCheck) (string, error) {
	return orEmpty(c).Title, nil
}

func (ruleCheckResolver) Level(_ context.Context, c *monitor.RuleCheck) (monitor.Severity, error) {
	return orEmpty(c).Level, nil
}

func (ruleCheckResolver) LogSource(_ context.Context, c *monitor.RuleCheck) (*monitor.LogSource, error) {
	return &orEmpty(c).LogSource, nil
}

func (ruleCheckResolver) Techniques(_ context.Context, c *monitor.RuleCheck) ([]string, error) {
	return orEmpty(c).Techniques, nil
}

func (ruleTestResultResolver) Line(_ context.Context, t *monitor.RuleTestResult) (*int, error) {
	return optional(t.Line), nil
}

func (ruleTestResultResolver) Error(_ context.Context, t *monitor.RuleTestResult) (*string, error) {
	return optional(t.Error), nil
}

func (ruleActivityResolver) LastFired(_ context.Context, a *monitor.RuleActivity) (*time.Time, error) {
	return optionalTime(a.LastFired), nil
}

// testPage is how many stored events are read at a time.
const testPage = 100

// RuleTest tries a rule on records, or on stored events.
func (r queryResolver) RuleTest(ctx context.Context, source string, records *string, filter *monitor.EventFilter, first int) (*monitor.RuleTest, error) {
	switch {
	case records != nil && filter != nil:
		return nil, monitor.Errorf(monitor.CodeBadInput, "a rule is tried on records or on stored events, not on both")
	case records != nil && len(*records) > monitor.MaxTestBytes:
		return nil, monitor.InputErrorf("records", "at most %d bytes", monitor.MaxTestBytes)
	case records != nil:
		return r.Bench.TryRecords(source, *records)
	case first < 1 || first > monitor.MaxTestEvents:
		return nil, monitor.InputErrorf("first", "1 to %d, not %d", monitor.MaxTestEvents, first)
	}
	return r.Bench.TryEvents(source, func(yield func(*monitor.Event) bool) error {
		args, read := page.Args{First: min(testPage, first)}, 0
		for {
			found, err := r.Resolver.Events.Events(ctx, filter, monitor.EventsByReceived, args)
			if err != nil {
				return err
			}
			for _, e := range found.Edges {
				if read++; !yield(e.Node) || read == first {
					return nil
				}
			}
			if !found.PageInfo.HasNextPage || len(found.Edges) == 0 {
				return nil
			}
			args.After = found.Edges[len(found.Edges)-1].Cursor
		}
	})
}

// AttackCoverage counts rules and alerts for each technique.
func (r queryResolver) AttackCoverage(ctx context.Context, since *time.Time) (*model.AttackCoverage, error) {
	from := time.Now().Add(-monitor.RuleActivityWindow)
	if since != nil {
		from = *since
	}
	rules, err := r.Resolver.Rules.TechniquesOfRules(ctx)
	if err != nil {
		return nil, err
	}
	alerts, err := r.Resolver.Rules.AlertsByRule(ctx, from)
	if err != nil {
		return nil, err
	}
	quiet := r.Bench.Quiet(rules)
	counted := make([]attack.Rule, len(rules))
	for i, rule := range rules {
		counted[i] = attack.Rule{Techniques: rule.Techniques, Runs: rule.Runs, Quiet: quiet[rule.ID], Alerts: alerts[rule.ID]}
	}
	columns, other := attack.Cover(counted)
	return &model.AttackCoverage{Version: attack.Version, Tactics: pointers(columns), Other: other}, nil
}

// RuleCreate adds a rule.
func (r mutationResolver) RuleCreate(ctx context.Context, input model.RuleCreateInput) (*model.RulePayload, error) {
	rule, problem := r.Bench.Parse(input.Source, nil)
	if problem != nil {
		return refusedRule(problem)
	}
	rule.Enabled = input.Enabled
	rule, err := r.Rules.CreateRule(ctx, monitor.ViewerFrom(ctx).Actor(), rule)
	mendable, err := userErrors(err)
	return &model.RulePayload{Rule: rule, Errors: mendable}, err
}

// RuleUpdate gives a rule another text.
func (r mutationResolver) RuleUpdate(ctx context.Context, input model.RuleUpdateInput) (*model.RulePayload, error) {
	id, err := monitor.ParseIDOf(monitor.KindRule, input.ID)
	if err != nil {
		mendable, err := userErrors(err)
		return &model.RulePayload{Errors: mendable}, err
	}
	rule, problem := r.Bench.Parse(input.Source, &id)
	if problem != nil {
		return refusedRule(problem)
	}
	rule, err = r.Rules.UpdateRule(ctx, monitor.ViewerFrom(ctx).Actor(), input.ExpectedVersion, rule)
	mendable, err := userErrors(err)
	return &model.RulePayload{Rule: rule, Errors: mendable}, err
}

func refusedRule(p *monitor.RuleProblem) (*model.RulePayload, error) {
	err := monitor.InputErrorf("source", "%s", p.Message)
	if p.Line > 0 {
		err = monitor.InputErrorf("source", "line %d, column %d: %s", p.Line, p.Column, p.Message)
	}
	mendable, failed := userErrors(err)
	return &model.RulePayload{Errors: mendable}, failed
}

// RuleImport stores files of an archive.
func (r mutationResolver) RuleImport(ctx context.Context, input model.RuleImportInput) (*model.RuleImportPayload, error) {
	err := checkImport(input.Files)
	report := &monitor.RuleImport{}
	if err == nil {
		files := make([]monitor.RuleFile, len(input.Files))
		for i, file := range input.Files {
			files[i] = *file
		}
		report, err = r.Bench.Import(ctx, monitor.ViewerFrom(ctx).Actor(), files, input.Enable)
	}
	mendable, err := userErrors(err)
	if err != nil || len(mendable) > 0 {
		return &model.RuleImportPayload{
			Inactive: []*monitor.RuleFileProblem{}, Refused: []*monitor.RuleFileProblem{}, Converted: []*monitor.RuleFileProblem{}, Errors: mendable,
		}, err
	}
	return &model.RuleImportPayload{
		Added: report.Added, Updated: report.Updated, Unchanged: report.Unchanged,
		Inactive: pointers(report.Inactive), Refused: pointers(report.Refused), Converted: pointers(report.Converted), Errors: mendable,
	}, nil
}

func checkImport(files []*monitor.RuleFile) error {
	size := 0
	for _, file := range files {
		size += len(file.Source)
	}
	switch {
	case len(files) == 0 || len(files) > monitor.MaxImportFiles:
		return monitor.InputErrorf("files", "1 to %d files, not %d", monitor.MaxImportFiles, len(files))
	case size > monitor.MaxImportBytes:
		return monitor.InputErrorf("files", "at most %d bytes, not %d", monitor.MaxImportBytes, size)
	}
	return nil
}

func (ruleResolver) Activity(ctx context.Context, rule *monitor.Rule) (*monitor.RuleActivity, error) {
	return loadersOf(ctx).activities.Load(ctx, rule.ID)
}

func (r *Resolver) ruleActivities(ctx context.Context, ids []monitor.ID) ([]*monitor.RuleActivity, error) {
	found, err := r.Rules.RuleActivities(ctx, ids)
	byRule := make(map[monitor.ID]*monitor.RuleActivity, len(found))
	for _, a := range found {
		byRule[a.Rule] = a
	}
	out := make([]*monitor.RuleActivity, len(ids))
	for i, id := range ids {
		if out[i] = byRule[id]; out[i] == nil {
			out[i] = &monitor.RuleActivity{Rule: id}
		}
	}
	return out, err
}

func (r ruleResolver) Versions(ctx context.Context, rule *monitor.Rule, first int, after *string) (*monitor.RuleVersionConnection, error) {
	args, err := pageArgs(first, after)
	if err != nil {
		return nil, err
	}
	return r.Rules.RuleVersions(ctx, rule.ID, args)
}

func (r ruleResolver) Journal(ctx context.Context, rule *monitor.Rule, first int, after *string) (*monitor.JournalConnection, error) {
	return r.journalOf(ctx, monitor.KindRule, rule.ID, first, after)
}

// pointers gives the addresses of the items.
func pointers[T any](items []T) []*T {
	out := make([]*T, len(items))
	for i := range items {
		out[i] = &items[i]
	}
	return out
}

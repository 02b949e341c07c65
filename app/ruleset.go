package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/security-monitor/secmon/detect"
	"github.com/security-monitor/secmon/monitor"
)

// ruleChunk is how many rules are read with their text at a time.
const ruleChunk = 200

// rulesInForce are the rules that this replica's engine was given. A change of
// one among thousands reads the text of that one alone, and leaves the others the
// very objects that they were: by these the engine knows what it need not compile
// again.
type rulesInForce struct {
	view  atomic.Pointer[rulesView]
	mu    sync.Mutex // one load at a time
	rules map[monitor.ID]*monitor.Rule
	told  map[string]bool // problems that are in the log
}

// rulesView is what anybody may ask at any time about the rules in force.
type rulesView struct {
	rules    map[monitor.ID]*monitor.Rule
	problems map[monitor.ID]string // why the engine does not run one
}

// follow gives the marked rules in the order of the marks, and how many of them
// were read. Those that have been disabled since they were marked are left out.
func (r *rulesInForce) follow(ctx context.Context, marks []monitor.RuleMark, read func(context.Context, []monitor.ID) ([]*monitor.Rule, error)) ([]*monitor.Rule, int, error) {
	next := make(map[monitor.ID]*monitor.Rule, len(marks))
	var changed []monitor.ID
	for _, mark := range marks {
		if rule := r.rules[mark.ID]; rule != nil && mark.Of(rule) {
			next[mark.ID] = rule
		} else {
			changed = append(changed, mark.ID)
		}
	}
	for ids := range slices.Chunk(changed, ruleChunk) {
		found, err := read(ctx, ids)
		if err != nil {
			return nil, 0, err
		}
		for _, rule := range found {
			if rule.Enabled && rule.State == monitor.RuleActive {
				next[rule.ID] = rule
			}
		}
	}
	list := make([]*monitor.Rule, 0, len(marks))
	for _, mark := range marks {
		if rule := next[mark.ID]; rule != nil {
			list = append(list, rule)
		}
	}
	r.rules = next
	return list, len(changed), nil
}

// loadRules puts the enabled rules of the database in force, with the lists that
// stand for their placeholders. Events are matched all the while, by the rules
// that were in force before.
func (a *App) loadRules(ctx context.Context) error {
	a.inForce.mu.Lock()
	defer a.inForce.mu.Unlock()
	begun := time.Now()
	lists, err := a.Store.Placeholders(ctx)
	if err != nil {
		return err
	}
	marks, err := a.Store.EnabledRuleMarks(ctx)
	if err != nil {
		return err
	}
	rules, changed, err := a.inForce.follow(ctx, marks, a.Store.RulesByID)
	if err != nil {
		return err
	}
	set := a.engine.Ruleset().Recompile(rules, detect.Options{Placeholders: lists.Lists()})
	a.tellProblems(set.Problems())
	a.engine.Swap(set)
	a.inForce.view.Store(&rulesView{rules: a.inForce.rules, problems: problemTexts(set.Problems())})
	a.placeholders.Store(lists)
	a.lg.Info("rules in force", "rules", set.Len(), "read", changed, "took", time.Since(begun).Round(time.Millisecond))
	return nil
}

func problemTexts(problems []detect.Problem) map[monitor.ID]string {
	texts := make(map[monitor.ID]string, len(problems))
	for _, p := range problems {
		texts[p.Rule.ID] = p.Err.Error()
	}
	return texts
}

// tellProblems logs what was not there at the load before.
func (a *App) tellProblems(problems []detect.Problem) {
	told := make(map[string]bool, len(problems))
	for _, p := range problems {
		problem := fmt.Sprintf("%s %d %v", p.Rule.ID, p.Rule.Version, p.Err)
		told[problem] = true
		if a.inForce.told[problem] {
			continue
		}
		var filter *detect.FilterError
		if errors.As(p.Err, &filter) {
			a.lg.Warn("filter misses a rule", "rule", p.Rule.ID, "title", p.Rule.Title, "error", p.Err)
			continue
		}
		a.lg.Error("rule does not run", "rule", p.Rule.ID, "title", p.Rule.Title, "error", p.Err)
	}
	a.inForce.told = told
}

package resolvers

import (
	"context"
	"errors"

	"github.com/security-monitor/secmon/graph/model"
	"github.com/security-monitor/secmon/monitor"
)

// QueryLine checks a query line.
func (queryResolver) QueryLine(_ context.Context, noun monitor.LineNoun, query string) (*model.QueryLine, error) {
	out := &model.QueryLine{Fields: monitor.LineFields(noun)}
	filter, err := monitor.LineFilter(noun, query)
	var known *monitor.Error
	switch {
	case err == nil:
		out.Filter = monitor.RawJSON(filter)
		return out, nil
	case !errors.As(err, &known):
		return nil, err
	}
	out.Error = &model.QueryLineError{Message: known.Message, Position: 1, Length: len(query)}
	if position, ok := known.Details["position"].(int); ok {
		out.Error.Position, out.Error.Length = position, known.Details["length"].(int) //nolint:errcheck,forcetypeassert // they come together
	}
	if hint, ok := known.Details["hint"].(string); ok {
		out.Error.Hint = &hint
	}
	return out, nil
}

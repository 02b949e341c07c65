package detect

import (
	"regexp"
	"strconv"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/security-monitor/secmon/monitor"
)

var timespan = regexp.MustCompile(`^([1-9]\d{0,8})([smhd])$`)

var timeUnits = map[string]time.Duration{"s": time.Second, "m": time.Minute, "h": time.Hour, "d": 24 * time.Hour}

// readCorrelation reads the section `correlation`.
// https://github.com/SigmaHQ/sigma-specification, "Sigma Correlation Rules"
func (d *document) readCorrelation(e entry) (*monitor.Correlation, error) {
	if e.value.Kind != yaml.MappingNode {
		return nil, errorAt(e.value, "correlation must be a mapping of type, rules, timespan and so on")
	}
	keys, err := d.entries(e.value)
	if err != nil {
		return nil, err
	}
	fields := make(map[string]entry, len(keys))
	for _, k := range keys {
		fields[k.name] = k
	}
	c := &monitor.Correlation{}
	kind, err := d.text(fields["type"])
	if err != nil {
		return nil, err
	}
	c.Type = monitor.CorrelationType(kind)
	if c.Rules, err = d.texts(fields["rules"]); err != nil {
		return nil, err
	}
	if len(c.Rules) == 0 {
		return nil, errorAt(e.key, "a correlation needs rules")
	}
	if c.GroupBy, err = d.texts(fields["group-by"]); err != nil {
		return nil, err
	}
	span, err := d.text(fields["timespan"])
	if err != nil {
		return nil, err
	}
	m := timespan.FindStringSubmatch(span)
	if m == nil {
		return nil, errorAt(e.key, "a correlation needs a timespan, such as 30s, 5m, 1h or 7d")
	}
	n, _ := strconv.Atoi(m[1])
	c.Timespan = time.Duration(n) * timeUnits[m[2]]
	return c, d.readCorrelationCondition(c, fields["condition"])
}

func (d *document) readCorrelationCondition(c *monitor.Correlation, e entry) error {
	if e.value == nil {
		return nil
	}
	if e.value.Kind != yaml.MappingNode {
		return errorAt(e.value, "a correlation's condition is a mapping such as gte: 10")
	}
	keys, err := d.entries(e.value)
	if err != nil {
		return err
	}
	for _, k := range keys {
		if k.name == "field" {
			if c.Condition.Fields, err = d.texts(k); err != nil {
				return err
			}
			continue
		}
		limit, err := strconv.ParseFloat(k.value.Value, 64)
		if err != nil {
			return errorAt(k.value, "%s takes a number", shorten(k.name))
		}
		c.Condition.Bounds = append(c.Condition.Bounds, monitor.CorrelationBound{Op: k.name, Limit: limit})
	}
	return nil
}

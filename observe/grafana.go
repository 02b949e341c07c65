package main

// dashboard is rows of panels; what Grafana wants beside that is the same for all.
type dashboard struct {
	uid, title, about string
	rows              []row
}

type row struct {
	title  string
	panels []panel
}

// panel is one graph or figure. All panels of a row share its width.
type panel struct {
	title, about string
	kind         string // timeseries where empty; stat, table
	unit         string // Grafana's name of it: s, Bps, bytes, percentunit, ops, short
	queries      []query
	stack        bool
	zones        []threshold // colours of a figure
}

type query struct{ expr, legend string }

type threshold struct {
	from  float64
	color string
}

type object = map[string]any

// schemaVersion is that of Grafana 11; later ones read it, too.
const schemaVersion = 39

var source = object{"type": "prometheus", "uid": "${datasource}"}

func (d dashboard) build() object {
	var panels []object
	y, id := 0, 0
	next := func() int { id++; return id }
	for _, r := range d.rows {
		panels = append(panels, object{"type": "row", "id": next(), "title": r.title, "collapsed": false, "panels": []object{}, "gridPos": object{"h": 1, "w": 24, "x": 0, "y": y}})
		y++
		width, height := 24/len(r.panels), 8
		if r.panels[0].kind == "stat" {
			height = 4
		}
		for i, p := range r.panels {
			panels = append(panels, p.build(next(), object{"h": height, "w": width, "x": i * width, "y": y}))
		}
		y += height
	}
	return object{
		"uid": d.uid, "title": "Security Monitor / " + d.title, "description": d.about, "tags": []string{"security-monitor"}, "schemaVersion": schemaVersion, "version": 1,
		"editable": true, "graphTooltip": 1, "timezone": "", "refresh": "30s", "time": object{"from": "now-6h", "to": "now"}, "annotations": object{"list": []object{}},
		"links":      []object{{"type": "dashboards", "title": "Security Monitor", "tags": []string{"security-monitor"}, "asDropdown": true, "includeVars": true, "keepTime": true}},
		"templating": object{"list": variables()}, "panels": panels,
	}
}

func variables() []object {
	ask := func(name, label, query string) object {
		return object{
			"type": "query", "name": name, "label": label, "datasource": source, "query": object{"query": query, "refId": name}, "definition": query,
			"refresh": 2, "includeAll": true, "multi": true, "allValue": ".*", "sort": 1, "current": object{"text": []string{"All"}, "value": []string{"$__all"}},
		}
	}
	return []object{
		{"type": "datasource", "name": "datasource", "label": "Data source", "query": "prometheus", "refresh": 1, "current": object{}},
		ask("namespace", "Namespace", "label_values(secmon_build_info, namespace)"),
		ask("pod", "Pod", `label_values(secmon_build_info{namespace=~"$namespace"}, pod)`),
	}
}

func (p panel) build(id int, at object) object {
	kind := p.kind
	if kind == "" {
		kind = "timeseries"
	}
	var targets []object
	for i, q := range p.queries {
		t := object{"refId": string(rune('A' + i)), "datasource": source, "expr": q.expr, "legendFormat": q.legend, "editorMode": "code"}
		if kind == "table" {
			t["instant"], t["format"] = true, "table"
		}
		targets = append(targets, t)
	}
	defaults := object{"unit": p.unit, "min": 0}
	options := object{"legend": object{"displayMode": "list", "placement": "bottom", "showLegend": true}, "tooltip": object{"mode": "multi", "sort": "desc"}}
	switch kind {
	case "timeseries":
		custom := object{"lineWidth": 1, "fillOpacity": 10, "showPoints": "never", "spanNulls": false}
		if p.stack {
			custom["stacking"], custom["fillOpacity"] = object{"mode": "normal", "group": "A"}, 40
		}
		defaults["custom"] = custom
	case "stat":
		options = object{"reduceOptions": object{"calcs": []string{"lastNotNull"}, "fields": "", "values": false}, "colorMode": "value", "graphMode": "area", "textMode": "auto"}
		steps := []object{{"color": "text", "value": nil}}
		for _, z := range p.zones {
			steps = append(steps, object{"color": z.color, "value": z.from})
		}
		defaults["thresholds"] = object{"mode": "absolute", "steps": steps}
	case "table":
		options = object{"showHeader": true}
	}
	return object{
		"type": kind, "id": id, "title": p.title, "description": p.about, "datasource": source, "gridPos": at, "targets": targets,
		"fieldConfig": object{"defaults": defaults, "overrides": []object{}}, "options": options,
	}
}

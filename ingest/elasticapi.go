package ingest

import (
	"fmt"
	"io"
	"net/http"
	"strings"
)

// elasticVersion is the version of Elasticsearch that shippers are told, so that they
// speak the present form of its interface: without types, with data streams and
// composable templates.
const elasticVersion = "8.17.0"

// maxIgnoredBody bounds what is read of templates and the like, which shippers send
// and nothing here needs.
const maxIgnoredBody = 8 << 20

// question is one that shippers ask before they send. What it asks for is there, and
// what it wants to have made is made: nothing here depends on indexes, templates,
// policies or pipelines.
type question struct {
	path    string // segments; * is any one, a last ... any more or none
	methods string
	answer  func(r *http.Request, parts []string) any
}

type object = map[string]any

// questions in the order in which they are tried.
var questions = []question{
	{"", "GET HEAD", func(*http.Request, []string) any {
		return object{
			"name": "secmon", "cluster_name": "secmon", "cluster_uuid": clusterUUID, "tagline": "You Know, for Search",
			"version": object{
				"number": elasticVersion, "build_flavor": "default", "build_type": "docker", "build_hash": "0000000000000000000000000000000000000000",
				"build_date": "2024-12-11T12:08:05.663969764Z", "build_snapshot": false, "lucene_version": "9.12.0",
				"minimum_wire_compatibility_version": "7.17.0", "minimum_index_compatibility_version": "7.0.0",
			},
		}
	}},
	{"_license", "GET", license},
	{"_xpack/license", "GET", license},
	{"_xpack", "GET", func(*http.Request, []string) any {
		features := object{}
		for name, on := range map[string]bool{"ilm": true, "security": true, "data_streams": true, "monitoring": false, "ml": false, "watcher": false, "graph": false} {
			features[name] = object{"available": on, "enabled": on}
		}
		return object{"build": object{}, "license": theLicense, "features": features, "tagline": "You know, for X"}
	}},
	{"_cluster/health/...", "GET HEAD", func(*http.Request, []string) any {
		return object{
			"cluster_name": "secmon", "status": "green", "timed_out": false, "number_of_nodes": 1, "number_of_data_nodes": 1, "active_primary_shards": 1, "active_shards": 1,
			"relocating_shards": 0, "initializing_shards": 0, "unassigned_shards": 0, "delayed_unassigned_shards": 0, "number_of_pending_tasks": 0,
			"number_of_in_flight_fetch": 0, "task_max_waiting_in_queue_millis": 0, "active_shards_percent_as_number": 100.0,
		}
	}},
	{"_cat/health", "GET HEAD", func(*http.Request, []string) any { return []any{object{"cluster": "secmon", "status": "green"}} }},
	{"_cluster/settings", "GET", func(*http.Request, []string) any { return object{"persistent": object{}, "transient": object{}} }},
	// Without addresses: who looks for more nodes keeps to the one that it knows.
	{"_nodes/...", "GET", func(*http.Request, []string) any {
		return object{"_nodes": object{"total": 0, "successful": 0, "failed": 0}, "cluster_name": "secmon", "nodes": object{}}
	}},
	{"_index_template/*", "GET HEAD", func(_ *http.Request, p []string) any {
		return object{"index_templates": []any{object{"name": p[1], "index_template": object{"index_patterns": []string{p[1] + "*"}, "composed_of": []string{}, "priority": 1}}}}
	}},
	{"_component_template/*", "GET HEAD", func(_ *http.Request, p []string) any {
		return object{"component_templates": []any{object{"name": p[1], "component_template": object{"template": object{}}}}}
	}},
	{"_template/*", "GET HEAD", func(_ *http.Request, p []string) any {
		return object{p[1]: object{"order": 1, "index_patterns": []string{p[1] + "*"}, "settings": object{}, "mappings": object{}, "aliases": object{}}}
	}},
	{"_ilm/policy/*", "GET", func(_ *http.Request, p []string) any {
		return object{p[2]: object{"version": 1, "modified_date": "2024-12-11T12:08:05.663Z", "policy": object{"phases": object{}}}}
	}},
	{"_ilm/status", "GET", func(*http.Request, []string) any { return object{"operation_mode": "RUNNING"} }},
	{"_ingest/pipeline/*", "GET", func(_ *http.Request, p []string) any { return object{p[2]: object{"processors": []any{}}} }},
	{"_ingest/pipeline", "GET", func(*http.Request, []string) any { return object{} }},
	{"_data_stream/*", "GET", func(_ *http.Request, p []string) any {
		return object{"data_streams": []any{object{"name": p[1], "timestamp_field": object{"name": "@timestamp"}, "indices": []any{}, "generation": 1, "status": "GREEN", "template": p[1]}}}
	}},
	{"_alias/*", "GET HEAD", func(_ *http.Request, p []string) any {
		return object{p[1] + "-000001": object{"aliases": object{p[1]: object{"is_write_index": true}}}}
	}},
	{"_index_template/*", "PUT POST", acknowledged},
	{"_component_template/*", "PUT POST", acknowledged},
	{"_template/*", "PUT POST", acknowledged},
	{"_ilm/policy/*", "PUT", acknowledged},
	{"_ingest/pipeline/*", "PUT", acknowledged},
	{"_data_stream/*", "PUT", acknowledged},
	{"*/_refresh", "GET POST", func(*http.Request, []string) any { return object{"_shards": oneShard} }},
	{"*", "GET HEAD", func(_ *http.Request, p []string) any {
		return object{p[0]: object{"aliases": object{}, "mappings": object{}, "settings": object{}}}
	}},
	{"*", "PUT", func(_ *http.Request, p []string) any {
		return object{"acknowledged": true, "shards_acknowledged": true, "index": p[0]}
	}},
}

// clusterUUID is the same for every installation: shippers compare it with what they
// saw before.
const clusterUUID = "c2VjbW9uLWluZ2VzdA"

var theLicense = object{
	"status": "active", "uid": "73656373-6d6f-4e00-8000-000000000000", "type": "basic", "mode": "basic", "issue_date": "2024-01-01T00:00:00.000Z",
	"issue_date_in_millis": int64(1704067200000), "max_nodes": 1000, "issued_to": "secmon", "issuer": "secmon", "start_date_in_millis": -1,
}

func license(*http.Request, []string) any { return object{"license": theLicense} }

func acknowledged(*http.Request, []string) any { return object{"acknowledged": true} }

// fits tells whether the segments of a path are those of a question.
func (q *question) fits(parts []string) bool {
	pattern := pathOf(q.path, "")
	for n, p := range pattern {
		switch {
		case p == "...":
			return true
		case n >= len(parts) || p != "*" && p != parts[n] || p == "*" && n == 0 && reserved(parts[n]):
			return false
		}
	}
	return len(pattern) == len(parts)
}

// answerAPI answers what shippers ask before they send.
func (h *Elastic) answerAPI(w http.ResponseWriter, r *http.Request, parts []string) {
	boundReading(w)
	_, _ = io.Copy(io.Discard, io.LimitReader(r.Body, maxIgnoredBody)) // whole, so that the connection can be used again
	for _, q := range questions {
		if q.fits(parts) && strings.Contains(q.methods, r.Method) {
			writeElastic(w, r, http.StatusOK, q.answer(r, parts))
			return
		}
	}
	h.meter().Request(protocolElastic, outcomeOf(http.StatusBadRequest))
	writeElastic(w, r, http.StatusBadRequest, object{"error": fmt.Sprintf("no handler found for uri [%s] and method [%s]", clip(r.URL.Path), clip(r.Method))})
}

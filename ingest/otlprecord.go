package ingest

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/valyala/fastjson"
	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	logspb "go.opentelemetry.io/proto/otlp/logs/v1"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/security-monitor/secmon/monitor"
)

// How a log record of OTLP becomes a record:
//
//	{<the body's own keys, or "message">, <attributes>, <resource attributes>,
//	 "log.level", "trace.id", "span.id", "otel": {what else the log record says}}
//
// Attributes keep their names, with the dots in them. The body's keys go before the
// log record's attributes, those before the resource's; what has lost its name to
// another stays under otel.attributes and otel.resource.

// logWriter writes records, one after the other.
type logWriter struct {
	limits Limits
	log    logspb.LogRecord
	parser fastjson.Parser
	lost   []lostAttribute // of the record at hand
	ids    [][2]string     // those whose names were taken
}

// lostAttribute is one whose name was taken.
type lostAttribute struct {
	of  string // attributes or resource
	all *commonpb.KeyValue
}

var (
	errTooDeep  = &recordError{CodeTooDeep, "the log record is nested deeper than allowed"}
	errTooLarge = &recordError{CodeRecordTooLarge, "the log record is larger than allowed"}
)

// record gives the record of a log record, a slice of its own.
func (w *logWriter) record(in *logScope, raw []byte) ([]byte, error) {
	if len(raw) > w.limits.RecordBytes {
		return nil, fmt.Errorf("%w: %d bytes", errTooLarge, w.limits.RecordBytes)
	}
	w.log.Reset()
	if err := in.read(raw, &w.log); err != nil {
		return nil, errors.New(printable([]byte(err.Error())))
	}
	out, isObject, err := w.body(make([]byte, 0, 512+2*len(raw)))
	if err != nil {
		return nil, err
	}
	own, err := w.parser.ParseBytes(append(bytes.Clone(out), '}'))
	if err != nil {
		return nil, err
	}
	if out, err = w.attributes(out, own, in); err != nil {
		return nil, err
	}
	out, err = w.around(out, own, in, isObject)
	if err != nil {
		return nil, err
	}
	s := &splitter{limits: w.limits}
	if code, message := s.check(out); code != "" {
		return nil, &recordError{code, message}
	}
	if len(out) > w.limits.RecordBytes {
		return nil, fmt.Errorf("%w with what its resource adds: %d bytes", errTooLarge, w.limits.RecordBytes)
	}
	return out, nil
}

// kept gives what is kept of a log record that became no record: its JSON, else its
// bytes as they came.
func (w *logWriter) kept(in *logScope, raw []byte, encoding string) []byte {
	if encoding == otlpJSON || len(raw) > w.limits.RecordBytes {
		return raw
	}
	w.log.Reset()
	if in.read(raw, &w.log) != nil {
		return raw
	}
	readable, err := protojson.Marshal(&w.log)
	if err != nil {
		return raw
	}
	return readable
}

// body begins a record, without its last brace: with the body, where that is a map or a
// text of a JSON object; else with a message.
func (w *logWriter) body(out []byte) (_ []byte, isObject bool, err error) {
	switch body := w.log.GetBody().GetValue().(type) {
	case nil:
		return append(out, '{'), false, nil
	case *commonpb.AnyValue_KvlistValue:
		out, err = appendValue(out, w.log.GetBody(), w.limits.Depth)
		return bytes.TrimSuffix(out, []byte("}")), true, err
	case *commonpb.AnyValue_StringValue:
		s := &splitter{limits: w.limits}
		if object := bytes.TrimSpace([]byte(body.StringValue)); len(object) > 0 && object[0] == '{' {
			if code, _ := s.check(object); code == "" {
				return append(out, bytes.TrimRight(bytes.TrimSuffix(object, []byte("}")), " \t\r\n")...), true, nil
			}
		}
		return appendText(append(out, `{"message":`...), body.StringValue), false, nil
	default:
		value, err := appendValue(nil, w.log.GetBody(), w.limits.Depth)
		return appendText(append(out, `{"message":`...), string(value)), false, err
	}
}

// attributes adds those of the log record, then those of its resource.
func (w *logWriter) attributes(out []byte, own *fastjson.Value, in *logScope) ([]byte, error) {
	w.lost, w.ids = w.lost[:0], w.ids[:0]
	taken := map[string]bool{}
	var err error
	for _, from := range []struct {
		of  string
		all []*commonpb.KeyValue
	}{{"attributes", w.log.GetAttributes()}, {"resource", in.resource.GetAttributes()}} {
		for _, a := range from.all {
			name := a.GetKey()
			if taken[name] || at(own, name) != nil || at(own, strings.ReplaceAll(name, ".", "/")) != nil {
				w.lost = append(w.lost, lostAttribute{from.of, a})
				continue
			}
			taken[name] = true
			if out, err = appendAttribute(out, name, a.GetValue(), w.limits); err != nil {
				return nil, err
			}
		}
	}
	for _, more := range [][2]string{
		{"log.level", levelOf(&w.log)}, {"trace.id", idOf(w.log.GetTraceId())}, {"span.id", idOf(w.log.GetSpanId())}, {"event.name", w.log.GetEventName()},
	} {
		switch {
		case more[1] == "":
		case taken[more[0]] || at(own, strings.ReplaceAll(more[0], ".", "/")) != nil:
			w.ids = append(w.ids, more)
		default:
			out = appendText(appendKey(out, more[0]), more[1])
		}
	}
	return out, nil
}

// around ends a record with what the log record says beside body and attributes.
func (w *logWriter) around(out []byte, own *fastjson.Value, in *logScope, isObject bool) ([]byte, error) {
	l := &w.log
	o := append(make([]byte, 0, 256), '{')
	if at := eventTime(l.GetTimeUnixNano(), l.GetObservedTimeUnixNano()); at != "" {
		o = appendText(appendKey(o, "time"), at)
		if !isObject && own.Get("@timestamp") == nil {
			out = appendText(appendKey(out, "@timestamp"), at)
		}
	}
	if l.GetSeverityNumber() != 0 {
		o = strconv.AppendInt(appendKey(o, "severity_number"), int64(l.GetSeverityNumber()), 10)
	}
	for _, text := range append(w.ids, [2]string{"severity_text", l.GetSeverityText()}, [2]string{"scope", in.scope.GetName()}, [2]string{"scope_version", in.scope.GetVersion()}) {
		if text[1] != "" {
			o = appendText(appendKey(o, text[0]), text[1])
		}
	}
	var err error
	if all := in.scope.GetAttributes(); len(all) > 0 {
		if o, err = appendList(appendKey(o, "scope_attributes"), all, w.limits.Depth-2); err != nil {
			return nil, err
		}
	}
	for _, of := range []string{"attributes", "resource"} {
		var all []*commonpb.KeyValue
		for _, a := range w.lost {
			if a.of == of {
				all = append(all, a.all)
			}
		}
		if len(all) == 0 {
			continue
		}
		if o, err = appendList(appendKey(o, of), all, w.limits.Depth-2); err != nil {
			return nil, err
		}
	}
	out = append(appendKey(out, "otel"), o...)
	return append(out, '}', '}'), nil
}

// eventTime gives the time of the event, or else when it was observed.
func eventTime(at, observed uint64) string {
	if at == 0 {
		at = observed
	}
	if at == 0 || at > math.MaxInt64 {
		return ""
	}
	return time.Unix(0, int64(at)).UTC().Format(time.RFC3339Nano)
}

func idOf(id []byte) string {
	if len(bytes.Trim(id, "\x00")) == 0 { // zero is no id
		return ""
	}
	return hex.EncodeToString(id)
}

// levelOf names the severity: by the sender's own word, where loggers know it, else by
// the number's range.
// https://opentelemetry.io/docs/specs/otel/logs/data-model/#field-severitynumber
func levelOf(l *logspb.LogRecord) string {
	text := strings.ToLower(l.GetSeverityText())
	n := int(l.GetSeverityNumber())
	if _, known := genericSeverity[text]; known || n < 1 || n > 24 {
		return text
	}
	return []string{"trace", "debug", "info", "warn", "error", "fatal"}[(n-1)/4]
}

func appendAttribute(out []byte, name string, value *commonpb.AnyValue, limits Limits) ([]byte, error) {
	if len(out) > limits.RecordBytes {
		return nil, fmt.Errorf("%w with what its resource adds: %d bytes", errTooLarge, limits.RecordBytes)
	}
	return appendValue(appendKey(out, name), value, limits.Depth-1)
}

// appendKey adds a key to an object that has no end yet.
func appendKey(out []byte, name string) []byte {
	if len(out) > 0 && out[len(out)-1] != '{' {
		out = append(out, ',')
	}
	return append(appendText(out, name), ':')
}

// appendValue writes a value as JSON. Bytes are base64, as in protobuf's JSON, and
// numbers that JSON has not are texts.
func appendValue(out []byte, v *commonpb.AnyValue, depth int) ([]byte, error) {
	if depth < 0 {
		return nil, errTooDeep
	}
	switch v := v.GetValue().(type) {
	case *commonpb.AnyValue_StringValue:
		return appendText(out, v.StringValue), nil
	case *commonpb.AnyValue_BoolValue:
		return strconv.AppendBool(out, v.BoolValue), nil
	case *commonpb.AnyValue_IntValue:
		return strconv.AppendInt(out, v.IntValue, 10), nil
	case *commonpb.AnyValue_DoubleValue:
		if math.IsNaN(v.DoubleValue) || math.IsInf(v.DoubleValue, 0) {
			return appendText(out, strconv.FormatFloat(v.DoubleValue, 'g', -1, 64)), nil
		}
		return strconv.AppendFloat(out, v.DoubleValue, 'g', -1, 64), nil
	case *commonpb.AnyValue_BytesValue:
		return appendText(out, base64.StdEncoding.EncodeToString(v.BytesValue)), nil
	case *commonpb.AnyValue_ArrayValue:
		out = append(out, '[')
		for i, item := range v.ArrayValue.GetValues() {
			if i > 0 {
				out = append(out, ',')
			}
			var err error
			if out, err = appendValue(out, item, depth-1); err != nil {
				return nil, err
			}
		}
		return append(out, ']'), nil
	case *commonpb.AnyValue_KvlistValue:
		return appendList(out, v.KvlistValue.GetValues(), depth-1)
	default:
		return append(out, "null"...), nil
	}
}

func appendList(out []byte, all []*commonpb.KeyValue, depth int) ([]byte, error) {
	out = append(out, '{')
	for i, a := range all {
		if i > 0 {
			out = append(out, ',')
		}
		var err error
		if out, err = appendValue(append(appendText(out, a.GetKey()), ':'), a.GetValue(), depth); err != nil {
			return nil, err
		}
	}
	return append(out, '}'), nil
}

// appendText writes a text as JSON; most need no escapes.
func appendText(out []byte, s string) []byte {
	for i := range len(s) {
		if s[i] < ' ' || s[i] == '"' || s[i] == '\\' {
			var room bytes.Buffer
			encode := json.NewEncoder(&room)
			encode.SetEscapeHTML(false)
			_ = encode.Encode(s) // a text can always be written
			return append(out, bytes.TrimSuffix(room.Bytes(), []byte("\n"))...)
		}
	}
	out = append(out, '"')
	out = append(out, s...)
	return append(out, '"')
}

// otelProducts are log sources' products of os.type.
var otelProducts = map[string]string{"linux": "linux", "windows": "windows", "darwin": "macos"}

// otelAliases give Sigma's names, and those of ECS that others ask for, to fields that
// OpenTelemetry's semantic conventions name in another way.
// https://opentelemetry.io/docs/specs/semconv/registry/attributes/
var otelAliases = [][]string{
	{"Image", "process.executable.path", "process.executable"},
	{"CommandLine", "process.command_line"},
	{"ProcessId", "process.pid"},
	{"ParentProcessId", "process.parent_pid"},
	{"CurrentDirectory", "process.working_directory"},
	{"User", "user.name", "enduser.id", "process.owner"},
	{"SourceIp", "source.ip", "source.address", "client.address"},
	{"SourcePort", "source.port", "client.port"},
	{"DestinationIp", "destination.ip", "destination.address"},
	{"DestinationPort", "destination.port"},
	{"Protocol", "network.transport"},
	{"QueryName", "dns.question.name"},
	{"TargetFilename", "file.path"},
	{"cs-method", "http.request.method"},
	{"c-uri", "url.full", "url.path"},
	{"cs-uri-query", "url.query"},
	{"sc-status", "http.response.status_code"},
	{"c-useragent", "user_agent.original"},
}

// aroundLog takes what a log record of OTLP says where the event itself says nothing.
func (in *input) aroundLog() {
	v, ev, rec := in.v, in.ev, in.rec
	otel := v.Get("otel")
	if otel == nil {
		return
	}
	for _, names := range otelAliases {
		rec.alias(names[0], names[1:]...)
	}
	fill := func(to *string, paths ...string) {
		if *to == "" {
			*to = text(v, paths...)
		}
	}
	fill(&ev.Host, "host/name", "host/id")
	fill(&ev.User, "user/name", "enduser/id", "process/owner")
	fill(&ev.Process, "process/executable/path", "process/executable/name", "process/command")
	fill(&ev.Command, "process/command_line")
	fill(&ev.Action, "event/name")
	fill(&ev.Domain, "destination/domain", "url/domain", "dns/question/name")
	if !ev.SrcIP.IsValid() {
		ev.SrcIP = parseIP(text(v, "source/address", "client/address", "network/peer/address"))
		ev.SrcPort = parsePort(text(v, "source/port", "client/port", "network/peer/port"))
	}
	if !ev.DstIP.IsValid() {
		ev.DstIP = parseIP(text(v, "destination/address", "server/address"))
		ev.DstPort = parsePort(text(v, "destination/port", "server/port"))
	}
	if ev.OccurredAt.Equal(in.received) {
		in.occurredText(text(otel, "time"))
	}
	if rec.LogSource == (monitor.LogSource{}) {
		rec.LogSource.Service = text(v, "service/name")
	}
	if rec.LogSource.Product == "" {
		rec.LogSource.Product = otelProducts[strings.ToLower(text(v, "os/type"))]
	}
}

package ingest

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"unicode/utf8"

	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	logspb "go.opentelemetry.io/proto/otlp/logs/v1"
	resourcepb "go.opentelemetry.io/proto/otlp/resource/v1"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"github.com/security-monitor/secmon/monitor"
)

// How requests of OTLP are taken apart: down to the log record by hand, so that one
// record is in memory beside the body, and one that is no good is no matter of its
// neighbours; each part by the protocol's own package.

// logScope is what log records have in common.
type logScope struct {
	resource *resourcepb.Resource
	scope    *commonpb.InstrumentationScope
	// read reads one log record.
	read func(raw []byte, into *logspb.LogRecord) error
}

// eachLog is called for each log record. An error ends the reading.
type eachLog func(in *logScope, raw []byte) error

// Numbers of fields, which the three messages share.
const (
	fieldList  protowire.Number = 1 // ExportLogsServiceRequest.resource_logs
	fieldHead  protowire.Number = 1 // ResourceLogs.resource, ScopeLogs.scope
	fieldInner protowire.Number = 2 // ResourceLogs.scope_logs, ScopeLogs.log_records
)

// eachLogProtobuf reads an ExportLogsServiceRequest in protobuf.
func eachLogProtobuf(body []byte, yield eachLog) error {
	return eachField(body, fieldList, func(logs []byte) error {
		resource := &resourcepb.Resource{}
		if err := eachField(logs, fieldHead, mergeInto(resource)); err != nil {
			return err
		}
		return eachField(logs, fieldInner, func(scoped []byte) error {
			in := &logScope{resource: resource, scope: &commonpb.InstrumentationScope{}, read: readProtobuf}
			if err := eachField(scoped, fieldHead, mergeInto(in.scope)); err != nil {
				return err
			}
			return eachField(scoped, fieldInner, func(raw []byte) error { return yield(in, raw) })
		})
	})
}

// mergeInto adds to a message, as protobuf has it where a field stands twice.
func mergeInto(m proto.Message) func([]byte) error {
	return func(raw []byte) error {
		if err := (proto.UnmarshalOptions{Merge: true, DiscardUnknown: true}).Unmarshal(raw, m); err != nil {
			return badOTLP(err)
		}
		return nil
	}
}

func readProtobuf(raw []byte, into *logspb.LogRecord) error {
	return proto.UnmarshalOptions{DiscardUnknown: true}.Unmarshal(raw, into)
}

// eachField calls yield for each message in the field of that number; others are passed
// over, as protobuf wants it.
func eachField(message []byte, number protowire.Number, yield func([]byte) error) error {
	for len(message) > 0 {
		found, kind, n := protowire.ConsumeTag(message)
		if n < 0 {
			return badOTLP(protowire.ParseError(n))
		}
		message = message[n:]
		if found != number || kind != protowire.BytesType {
			if n = protowire.ConsumeFieldValue(found, kind, message); n < 0 {
				return badOTLP(protowire.ParseError(n))
			}
			message = message[n:]
			continue
		}
		inner, n := protowire.ConsumeBytes(message)
		if n < 0 {
			return badOTLP(protowire.ParseError(n))
		}
		message = message[n:]
		if err := yield(inner); err != nil {
			return err
		}
	}
	return nil
}

// badOTLP is about a request that is none.
func badOTLP(err error) error {
	return monitor.Errorf(monitor.CodeBadInput, "the body is no ExportLogsServiceRequest: %s; nothing of it is stored", printable([]byte(err.Error())))
}

// inJSON words an error of encoding/json for who knows JSON and not Go.
func inJSON(err error) error {
	var wrong *json.UnmarshalTypeError
	if !errors.As(err, &wrong) {
		return err
	}
	what, want := "it", "an object"
	if wrong.Field != "" {
		what = wrong.Field
	}
	if wrong.Type.Kind() == reflect.Slice {
		want = "an array"
	}
	kind, _, _ := strings.Cut(wrong.Value, " ") // a number comes with its figures
	return fmt.Errorf("%s has the type %s at byte %d, and should be %s", what, kind, wrong.Offset, want)
}

// eachLogJSON reads an ExportLogsServiceRequest in JSON.
func eachLogJSON(body []byte, yield eachLog) error {
	var request otlpRequest
	if !utf8.Valid(body) {
		return monitor.Errorf(monitor.CodeBadInput, "the body is not UTF-8; nothing of it is stored")
	}
	if err := json.Unmarshal(body, &request); err != nil {
		return badOTLP(inJSON(err))
	}
	for _, logs := range request.ResourceLogs {
		resource := &resourcepb.Resource{}
		if err := readJSON(logs.Resource, resource); err != nil {
			return badOTLP(err)
		}
		for _, scoped := range logs.ScopeLogs {
			in := &logScope{resource: resource, scope: &commonpb.InstrumentationScope{}, read: readLogJSON}
			if err := readJSON(scoped.Scope, in.scope); err != nil {
				return badOTLP(err)
			}
			for _, raw := range scoped.LogRecords {
				if err := yield(in, raw); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func readJSON(raw json.RawMessage, into proto.Message) error {
	if len(raw) == 0 || string(raw) == "null" {
		return nil
	}
	return protojson.UnmarshalOptions{DiscardUnknown: true}.Unmarshal(raw, into)
}

// readLogJSON reads a log record. OTLP writes its ids in hexadecimal where protobuf's
// JSON has base64: hexadecimal is read as such, so its base64 is the hexadecimal again.
func readLogJSON(raw []byte, into *logspb.LogRecord) error {
	if err := readJSON(raw, into); err != nil {
		return err
	}
	for _, id := range []*[]byte{&into.TraceId, &into.SpanId} {
		decoded, err := hex.DecodeString(base64.StdEncoding.EncodeToString(*id))
		if err != nil {
			return fmt.Errorf("an id is not hexadecimal: %w", err)
		}
		*id = decoded
	}
	return nil
}

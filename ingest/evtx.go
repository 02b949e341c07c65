package ingest

import (
	"github.com/valyala/fastjson"
)

// EVTX as JSON, as evtx_dump and many shippers write it: Event.System and
// Event.EventData or Event.UserData, attributes under #attributes or in place.

func isEVTX(v *fastjson.Value) bool { return v.Exists("Event", "System") }

func normaliseEVTX(in *input) {
	event := in.v.Get("Event")
	if system := event.GetObject("System"); system != nil {
		system.Visit(func(key []byte, value *fastjson.Value) { systemField(in.rec, clean(string(key)), value) })
	}
	eventData(in.rec, event.Get("EventData"))
	if user := event.GetObject("UserData"); user != nil {
		user.Visit(func(key []byte, element *fastjson.Value) { // one element, named by the provider
			if string(key) != "#attributes" && element.Type() == fastjson.TypeObject {
				elementFields(in.rec, element)
			}
		})
	}
	for _, name := range []string{"TimeCreated_SystemTime", "UtcTime"} {
		if in.occurredText(in.rec.Text(name)) {
			break
		}
	}
	in.finishWindows()
}

// systemField names the attributes of an element of System as Sigma does:
// Provider_Name. Its text keeps the element's name.
func systemField(rec *record, name string, v *fastjson.Value) {
	object, err := v.Object()
	if err != nil {
		rec.flatten(name, v)
		return
	}
	object.Visit(func(key []byte, child *fastjson.Value) {
		switch k := clean(string(key)); {
		case k == "#attributes":
			child.GetObject().Visit(func(attribute []byte, value *fastjson.Value) { rec.flatten(name+"_"+clean(string(attribute)), value) })
		case k == "#text" || k == "Value" || k == "value":
			rec.flatten(name, child)
		default:
			rec.flatten(name+"_"+trimMark(k), child)
		}
	})
}

// trimMark takes the @ away with which some converters mark attributes.
func trimMark(name string) string {
	if len(name) > 1 && name[0] == '@' {
		return name[1:]
	}
	return name
}

// eventData adds EventData: an object, or {"Data": [{"Name": ..., "#text": ...}]}
// in one of the spellings that converters use.
func eventData(rec *record, data *fastjson.Value) {
	if data == nil || data.Type() == fastjson.TypeNull {
		return
	}
	if data.Type() == fastjson.TypeArray {
		namedData(rec, data.GetArray())
		return
	}
	if named := data.Get("Data"); named != nil && named.Type() == fastjson.TypeArray && hasNames(named.GetArray()) {
		namedData(rec, named.GetArray())
		return
	}
	elementFields(rec, data)
}

func hasNames(items []*fastjson.Value) bool {
	return len(items) > 0 && dataName(items[0]) != ""
}

func dataName(item *fastjson.Value) string {
	return text(item, "Name", "@Name", "#attributes/Name")
}

func namedData(rec *record, items []*fastjson.Value) {
	for _, item := range items {
		if name := dataName(item); name != "" {
			rec.addText(name, text(item, "#text", "text", "Value", "content"))
		}
	}
}

func elementFields(rec *record, element *fastjson.Value) {
	if element.Type() != fastjson.TypeObject {
		rec.flatten("Data", element)
		return
	}
	element.GetObject().Visit(func(key []byte, child *fastjson.Value) {
		name := clean(string(key))
		if name == "#attributes" {
			return
		}
		if text := child.Get("#text"); text != nil {
			child = text
		}
		rec.flatten(name, child)
	})
}

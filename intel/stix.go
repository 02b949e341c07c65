package intel

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/security-monitor/secmon/monitor"
	"github.com/security-monitor/secmon/stix"
)

// object is what is read of a STIX object.
// https://docs.oasis-open.org/cti/stix/v2.1/os/stix-v2.1-os.html, section 4.7
type object struct {
	Type           string   `json:"type"`
	ID             string   `json:"id"`
	Name           string   `json:"name"`
	Description    string   `json:"description"`
	Pattern        string   `json:"pattern"`
	PatternType    string   `json:"pattern_type"`
	ValidFrom      string   `json:"valid_from"`
	ValidUntil     string   `json:"valid_until"`
	Confidence     *int     `json:"confidence"`
	Revoked        bool     `json:"revoked"`
	Labels         []string `json:"labels"`
	IndicatorTypes []string `json:"indicator_types"`
	References     []struct {
		URL string `json:"url"`
	} `json:"external_references"`
	Extensions map[string]json.RawMessage `json:"extensions"`
}

// ours is what an object says that package stix has written.
type ours struct {
	Source    string           `json:"source"`
	Severity  monitor.Severity `json:"severity"`
	Reference string           `json:"reference"`
}

// readSTIX reads a bundle, or a list of objects, one object at a time.
func readSTIX(r io.Reader, o Options, to Taker) error {
	limited := &pieces{r: r, left: maxPiece}
	in := bufio.NewReaderSize(limited, 64<<10)
	skipMark(in)
	dec := json.NewDecoder(in)
	if err := findObjects(dec, limited); err != nil {
		return err
	}
	for position := o.First; ; position++ {
		limited.next()
		if !dec.More() {
			break
		}
		var raw json.RawMessage
		if err := dec.Decode(&raw); err != nil {
			return notSTIX(fmt.Errorf("object %d: %w", position, err))
		}
		var obj object
		if err := json.Unmarshal(raw, &obj); err != nil {
			to.Refuse(Problem{Position: position, ID: idIn(raw), Message: "no STIX object: " + err.Error()})
			continue
		}
		if obj.Type != "indicator" {
			continue // a bundle tells of more
		}
		if err := takeObject(&obj, &o, position, to); err != nil {
			return err
		}
	}
	if _, err := dec.Token(); err != nil {
		return notSTIX(err) // the list has no end
	}
	return nil
}

// findObjects goes to the first of a bundle's objects.
func findObjects(dec *json.Decoder, limited *pieces) error {
	begin, err := dec.Token()
	if err != nil {
		return notSTIX(err)
	}
	if begin == json.Delim('[') {
		return nil
	}
	if begin != json.Delim('{') {
		return notSTIX(errors.New("it is no object"))
	}
	for dec.More() {
		limited.next()
		key, err := dec.Token()
		if err != nil {
			return notSTIX(err)
		}
		if key == "objects" {
			if list, err := dec.Token(); err != nil || list != json.Delim('[') {
				return notSTIX(errors.New("objects is no list"))
			}
			return nil
		}
		var other json.RawMessage
		if err := dec.Decode(&other); err != nil {
			return notSTIX(err)
		}
	}
	return notSTIX(errors.New("it has no objects"))
}

func notSTIX(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = fmt.Errorf("it ends in the middle (%w)", err)
	}
	return monitor.Errorf(monitor.CodeBadInput, "no STIX bundle: %v", err)
}

// idIn finds the id of an object that has fields of other types than it should.
func idIn(raw json.RawMessage) string {
	var named struct {
		ID any `json:"id"`
	}
	_ = json.Unmarshal(raw, &named) // then it has none
	id, _ := named.ID.(string)
	return id
}

// takeObject takes all that an indicator's pattern names, or refuses it as a whole.
func takeObject(obj *object, o *Options, position int, to Taker) error {
	indicators, err := indicatorsOf(obj, o)
	if err != nil {
		to.Refuse(Problem{Position: position, ID: obj.ID, Message: messageOf(err)})
		return nil
	}
	for _, i := range indicators {
		if err := to.Take(i); err != nil {
			return err
		}
	}
	return nil
}

func indicatorsOf(obj *object, o *Options) ([]*monitor.Indicator, error) {
	if obj.PatternType != "" && obj.PatternType != "stix" {
		return nil, monitor.InputErrorf("pattern_type", "patterns of type %q are not read", obj.PatternType)
	}
	named, err := ParsePattern(obj.Pattern)
	if err != nil {
		return nil, err
	}
	of := o.usual()
	if of.ValidFrom, err = timeOf("valid_from", obj.ValidFrom); err != nil {
		return nil, err
	}
	until, err := timeOf("valid_until", obj.ValidUntil)
	if err != nil {
		return nil, err
	}
	if !until.IsZero() {
		of.ValidUntil = until
	}
	if obj.Confidence != nil {
		of.Confidence = *obj.Confidence
	}
	if obj.Revoked {
		of.RevokedAt = o.Now
	}
	of.Tags = append(append(of.Tags, obj.Labels...), obj.IndicatorTypes...)
	ours, err := oursOf(obj)
	if err != nil {
		return nil, err
	}
	obj.describe(of, ours)
	out := make([]*monitor.Indicator, len(named))
	for n, observable := range named {
		i := *of
		i.Kind, i.Value = observable.Kind, observable.Value
		if ours != nil || observable.Subdomains {
			i.Subdomains = observable.Subdomains
		}
		if err := i.Check(); err != nil {
			return nil, err
		}
		out[n] = &i
	}
	return out, nil
}

// oursOf gives what an object of ours says, nil where it is another's.
func oursOf(obj *object) (*ours, error) {
	raw, there := obj.Extensions[stix.ExtensionID]
	if !there {
		return nil, nil //nolint:nilnil // it is another's
	}
	said := &ours{}
	if err := json.Unmarshal(raw, said); err != nil {
		return nil, monitor.InputErrorf("extensions", "extension %s: %v", stix.ExtensionID, err)
	}
	return said, nil
}

// describe takes over what is said of an indicator for people. Ours keep it as it was.
func (obj *object) describe(of *monitor.Indicator, ours *ours) {
	if ours != nil {
		of.Source, of.Severity, of.Description, of.Reference = ours.Source, ours.Severity, obj.Description, ours.Reference
		return
	}
	of.Description = cut(strings.TrimSpace(strings.Trim(obj.Name+": "+obj.Description, ": ")), monitor.MaxIndicatorDescription)
	for _, each := range obj.References {
		if each.URL != "" && len(each.URL) <= monitor.MaxIndicatorReference {
			of.Reference = each.URL
			return
		}
	}
}

// cut gives at most so many characters of a text.
func cut(text string, most int) string {
	n := 0
	for at := range text {
		if n == most {
			return text[:at]
		}
		n++
	}
	return text
}

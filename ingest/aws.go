package ingest

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net/http"

	"github.com/valyala/fastjson"

	"github.com/security-monitor/secmon/monitor"
)

// AWSPath is where AWS pushes to: AWSPath/sns and AWSPath/eventbridge.
const AWSPath = "/api/aws"

// EventBridge takes what an API destination of Amazon EventBridge sends: an event, or
// an array of events. The credential is an ingest token.
//
// An event is stored once, however often it is sent: its id and its content are its
// name, unless the request has an Idempotency-Key.
//
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-api-destinations.html
type EventBridge struct{ *Intake }

// ServeHTTP takes one request.
func (h *EventBridge) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		h.refuse(w, r, protocolAWS, http.StatusMethodNotAllowed, monitor.Errorf(monitor.CodeBadInput, "send events with POST"))
		return
	}
	if err := h.Authorise(r.Context()); err != nil {
		h.refuse(w, r, protocolAWS, 0, err)
		return
	}
	c := h.begin(w, r, protocolAWS)
	defer c.release()
	var rejected []Rejection
	var first []byte
	objects := 0
	err := c.read(func(body io.Reader) error {
		return SplitObjects(body, h.Limits, func(n int, object []byte, problem *Rejection) error {
			if objects = n; n == 1 {
				if first = object; problem != nil {
					first = problem.raw
				}
			}
			if problem == nil {
				problem = rejectionOf(n, object, c.addAWS(object))
			}
			if problem != nil {
				c.reject(problem)
				rejected = append(rejected, *problem)
			}
			return c.err()
		})
	})
	var broken *brokenError
	if errors.As(err, &broken) {
		err = monitor.Errorf(monitor.CodeBadInput, "%s", broken.Error())
	}
	if err == nil && objects == 0 {
		err = monitor.Errorf(monitor.CodeBadInput, "there is no event in it")
	}
	if err != nil {
		h.refuse(w, r, protocolAWS, 0, err)
		return
	}
	if c.key == "" && objects == 1 {
		c.nameEvent(first)
	}
	h.store(w, r, c, rejected)
}

// nameEvent names a request after its only event, which EventBridge may deliver more
// than once. The content is a part of the name: several rules may send the same event
// in different forms.
func (c *collection) nameEvent(event []byte) {
	id := fastjson.GetString(event, "id")
	if id == "" || len(id) > maxKeyBytes/2 || fastjson.GetString(event, "detail-type") == "" {
		return
	}
	c.sum = sha256.New()
	_, _ = c.sum.Write(event) // never fails
	c.key = "eventbridge " + id + " " + hex.EncodeToString(c.sum.Sum(nil)[:16])
}

// store stores what AWS sent, and answers.
func (in *Intake) store(w http.ResponseWriter, r *http.Request, c *collection, rejected []Rejection) {
	a := answer{Accepted: len(c.batch.Events), Rejected: len(rejected), Errors: rejected[:min(len(rejected), maxShownErrors)]}
	status := http.StatusOK
	if a.Accepted == 0 && a.Rejected > 0 {
		status = http.StatusUnprocessableEntity
	}
	id, repeated, err := c.submit()
	if err != nil {
		in.refuse(w, r, protocolAWS, 0, err)
		return
	}
	if a.Repeated = repeated; a.Accepted > 0 {
		a.Batch = id.String()
	}
	in.answer(w, r, protocolAWS, status, a)
}

// addAWS adds an object that AWS sent. An event of Security Hub is as many records as
// it has findings.
func (c *collection) addAWS(object []byte) error {
	if !bytes.Contains(object, []byte(`"findings"`)) {
		return c.add(object)
	}
	v, err := fastjson.ParseBytes(object)
	if err != nil {
		return err
	}
	findings := v.GetArray("detail", "findings")
	if len(findings) < 2 || securityHubFinding(v) == nil {
		return c.add(object)
	}
	for _, finding := range findings {
		if finding.Type() != fastjson.TypeObject {
			continue // no finding has that form
		}
		if err := c.add(finding.MarshalTo(nil)); err != nil {
			return err
		}
		if c.full {
			return nil
		}
	}
	return nil
}

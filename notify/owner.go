package notify

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/security-monitor/secmon/monitor"
)

// Owners gives those whom queues belong to.
type Owners interface {
	UsersByID(ctx context.Context, ids []monitor.ID) ([]*monitor.User, error)
}

// mayRead gives a Stop where an owner may not read any more what is sent in their name.
func mayRead(ctx context.Context, store Owners, owner monitor.ID, role monitor.Role) error {
	owners, err := store.UsersByID(ctx, []monitor.ID{owner})
	switch {
	case err != nil:
		return err
	case len(owners) == 0:
		return &Stop{monitor.PauseOwner, "its owner is not there any more"}
	case owners[0].Disabled:
		return &Stop{monitor.PauseOwner, "its owner, " + owners[0].Name + ", is disabled"}
	case owners[0].Role.Rank() < role.Rank():
		return &Stop{monitor.PauseOwner, fmt.Sprintf("its owner, %s, is not %s any more", owners[0].Name, role)}
	}
	return nil
}

func refused(err error) error {
	var stop *Stop
	if errors.As(err, &stop) {
		return monitor.Errorf(monitor.CodeConflict, "%s", stop.Text)
	}
	return err
}

// sendTest sends a body once, now, and gives what became of it.
func sendTest(ctx context.Context, queue monitor.ID, body []byte, sender Sender) *monitor.Delivery {
	now := time.Now().UTC().Truncate(time.Microsecond)
	d := &monitor.Delivery{
		ID: monitor.NewID(now), Queue: queue, State: monitor.DeliveryDelivered, Test: true, Body: body, Bytes: len(body),
		NextAt: now, Since: now, CreatedAt: now,
	}
	result := sender.Send(ctx, d)
	d.Attempts, d.Log, d.DoneAt = 1, []monitor.DeliveryAttempt{result.DeliveryAttempt}, result.At.Add(time.Duration(result.Took)*time.Millisecond)
	if result.Error != "" {
		d.State = monitor.DeliveryFailed
	}
	return d
}

// failed is the result of a try that did not get as far as the receiver.
func failed(text string) Result {
	return Result{DeliveryAttempt: monitor.DeliveryAttempt{At: time.Now().UTC().Truncate(time.Microsecond), Error: text}}
}

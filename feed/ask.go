package feed

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"sync"
	"time"
)

// askTime is how long an asker waits for the other replicas.
const askTime = time.Second

// maxQuestions bounds the questions that wait for this replica's answer; more
// are dropped, and their askers learn that somebody did not answer.
const maxQuestions = 16

// note is a question to all replicas, or an answer to one who asked.
type note struct {
	Ask  string          `json:"ask,omitempty"`  // id of the question
	Tell string          `json:"tell,omitempty"` // id of the question that this answers
	Body json.RawMessage `json:"body"`
}

// asking is what is under way between the replicas beside the journal. It is
// for what only a running replica knows, and nothing depends on it.
type asking struct {
	mu        sync.Mutex
	answer    func(question json.RawMessage) (any, error)
	waiting   map[string]chan json.RawMessage
	questions chan note
}

// Answer sets how this replica answers; call it before Listen.
func (b *RedisBus) Answer(f func(question json.RawMessage) (any, error)) { b.asking.answer = f }

// Ask puts a question to all other replicas and gathers their answers. all is
// false when one did not answer in time, or Redis did not carry the question.
func (b *RedisBus) Ask(ctx context.Context, question any) (answers []json.RawMessage, all bool) {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	body, err := json.Marshal(question)
	if err != nil {
		return nil, false
	}
	id := rand.Text()
	got := make(chan json.RawMessage, 64)
	b.asking.mu.Lock()
	if b.asking.waiting == nil {
		b.asking.waiting = map[string]chan json.RawMessage{}
	}
	b.asking.waiting[id] = got
	b.asking.mu.Unlock()
	defer func() {
		b.asking.mu.Lock()
		delete(b.asking.waiting, id)
		b.asking.mu.Unlock()
	}()
	receivers, err := b.say(ctx, note{Ask: id, Body: body})
	if err != nil {
		return nil, false
	}
	for len(answers) < int(receivers)-1 { // the asker hears itself
		select {
		case answer := <-got:
			answers = append(answers, answer)
		case <-ctx.Done():
			return answers, false
		}
	}
	return answers, true
}

// say publishes a note and tells how many replicas got it.
func (b *RedisBus) say(ctx context.Context, n note) (int64, error) {
	payload, err := json.Marshal(redisMessage{Note: &n})
	if err != nil {
		return 0, fmt.Errorf("encode note: %w", err)
	}
	if b.cluster != nil {
		receivers, err := b.cluster.SPublish(ctx, b.channel, payload).Result()
		return receivers, b.secret.hide(err)
	}
	receivers, err := b.client.Publish(ctx, b.channel, payload).Result()
	return receivers, b.secret.hide(err)
}

// hear takes a note from the channel; it does not wait.
func (b *RedisBus) hear(n note) {
	b.asking.mu.Lock()
	defer b.asking.mu.Unlock()
	switch {
	case n.Tell != "":
		if got := b.asking.waiting[n.Tell]; got != nil {
			select {
			case got <- n.Body:
			default: // more answers than replicas: somebody else publishes here
			}
		}
	case b.asking.waiting[n.Ask] != nil: // our own question
	case b.asking.answer != nil:
		select {
		case b.asking.questions <- n:
		default: // the asker will see that we did not answer
		}
	}
}

// answerAll answers questions until ctx ends.
func (b *RedisBus) answerAll(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case n := <-b.asking.questions:
			answer, err := b.asking.answer(n.Body)
			if err != nil {
				b.lg.Warn("feed: a question on redis", "error", err)
				continue
			}
			body, err := json.Marshal(answer)
			if err != nil {
				b.lg.Warn("feed: answer a question", "error", err)
				continue
			}
			sayCtx, cancel := context.WithTimeout(ctx, redisPublish)
			if _, err := b.say(sayCtx, note{Tell: n.Ask, Body: body}); err != nil && ctx.Err() == nil {
				b.lg.Debug("feed: not answered", "error", err)
			}
			cancel()
		}
	}
}

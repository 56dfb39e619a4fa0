package db

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// batch asks questions of one kind together. A question that comes alone goes to Postgres at once. While the few
// queries that may run at a time are running, further questions gather, and go out together in one round trip as soon
// as one of those is back: the busier the server, the fewer the round trips.
type batch[Q, A any] struct {
	// ask answers questions in one round trip, each answer at the place of its question.
	ask func(ctx context.Context, questions []Q) ([]A, error)

	mu      sync.Mutex
	running int
	waiting []*waiter[Q, A]
}

const (
	batchesAtOnce = 2  // more of them share the processors with the calls that wait for them
	batchSize     = 64 // questions; a later one waits no longer than these take
	// batchTimeout ends a query for many. Each question's own deadline ends its waiting before that.
	batchTimeout = 5 * time.Second
)

// waiter is a question and, once done is closed, its answer.
type waiter[Q, A any] struct {
	question Q
	answer   A
	err      error
	done     chan struct{}
}

// answer returns the answer to question, or ErrUnavailable if ctx ends first.
func (b *batch[Q, A]) answer(ctx context.Context, question Q) (A, error) {
	w := &waiter[Q, A]{question: question, done: make(chan struct{})}
	b.mu.Lock()
	b.waiting = append(b.waiting, w)
	start := b.running < batchesAtOnce
	if start {
		b.running++
	}
	b.mu.Unlock()
	if start {
		go b.run()
	}
	select {
	case <-w.done:
		return w.answer, w.err
	case <-ctx.Done():
		var none A
		return none, fmt.Errorf("%w: %w", ErrUnavailable, ctx.Err())
	}
}

// run answers those who wait until nobody does.
func (b *batch[Q, A]) run() {
	for {
		b.mu.Lock()
		n := min(len(b.waiting), batchSize)
		if n == 0 {
			b.running--
			b.mu.Unlock()
			return
		}
		some := b.waiting[:n:n]
		b.waiting = b.waiting[n:]
		b.mu.Unlock()
		b.settle(some)
	}
}

// settle answers some. An error that is about a question and not about the database must not spoil the others', so
// then each is asked alone.
func (b *batch[Q, A]) settle(some []*waiter[Q, A]) {
	ctx, cancel := context.WithTimeout(context.Background(), batchTimeout)
	defer cancel()
	questions := make([]Q, len(some))
	for i, w := range some {
		questions[i] = w.question
	}
	answers, err := b.ask(ctx, questions)
	if err != nil && len(some) > 1 && !errors.Is(err, ErrUnavailable) {
		for i := range some {
			b.settle(some[i : i+1])
		}
		return
	}
	for i, w := range some {
		if w.err = err; err == nil {
			w.answer = answers[i]
		}
		close(w.done)
	}
}

package pg

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"time"
)

// Batch asks questions of one kind together. A question that comes alone goes to Postgres at once. While a query runs,
// further questions gather, and go out together in one round trip as soon as it is back: the busier the server, the
// fewer the round trips.
type Batch[Q, A any] struct {
	// ask answers questions in one round trip, each answer at the place of its question.
	ask     func(ctx context.Context, questions []Q) ([]A, error)
	waiting chan *waiter[Q, A]
	spent   sync.Pool // waiters that got their answer
	turn    chan struct{}
	running sync.WaitGroup
}

// BatchSize is how many questions travel together at most: a later one waits no longer than these take.
const BatchSize = 64

const (
	askers       = 4                     // a query that hangs holds up one of them
	patience     = 10 * time.Millisecond // for the query before: one at a time is cheapest
	waitersLimit = 4096                  // questions that wait; a further one waits to wait
	batchTimeout = 5 * time.Second       // for a question that has no deadline of its own
)

// waiter is a question and, once done says so, its answer.
type waiter[Q, A any] struct {
	question Q
	until    time.Time // then nobody waits any more
	answer   A
	err      error
	done     chan struct{}
}

// Start has ask answer the questions that come from now on.
func (b *Batch[Q, A]) Start(ask func(ctx context.Context, questions []Q) ([]A, error)) {
	b.ask, b.waiting, b.turn = ask, make(chan *waiter[Q, A], waitersLimit), make(chan struct{}, 1)
	for range askers {
		b.running.Go(b.run)
	}
}

// Stop ends the batch once it has answered all. No question may come any more.
func (b *Batch[Q, A]) Stop() {
	close(b.waiting)
	b.running.Wait()
}

// Ask returns the answer to question, or ErrUnavailable if ctx ends first.
func (b *Batch[Q, A]) Ask(ctx context.Context, question Q) (A, error) {
	select {
	case b.turn <- struct{}{}: // nobody else asks: then nobody has to be woken for it
		defer func() { <-b.turn }()
		return b.alone(ctx, question)
	default:
		return b.together(ctx, question)
	}
}

func (b *Batch[Q, A]) alone(ctx context.Context, question Q) (answer A, err error) {
	answers, err := b.ask(ctx, []Q{question})
	if err != nil {
		return answer, err
	}
	return answers[0], nil
}

func (b *Batch[Q, A]) together(ctx context.Context, question Q) (A, error) {
	var none A
	w, ok := b.spent.Get().(*waiter[Q, A])
	if !ok {
		w = &waiter[Q, A]{done: make(chan struct{}, 1)}
	}
	w.question = question
	deadline, limited := ctx.Deadline()
	if w.until = deadline; !limited {
		w.until = time.Now().Add(batchTimeout)
	}
	select {
	case b.waiting <- w:
	case <-ctx.Done():
		return none, fmt.Errorf("%w: %w", ErrUnavailable, ctx.Err())
	}
	select {
	case <-w.done:
		answer, err := w.answer, w.err
		w.answer, w.err = none, nil
		b.spent.Put(w)
		return answer, err
	case <-ctx.Done():
		return none, fmt.Errorf("%w: %w", ErrUnavailable, ctx.Err())
	}
}

// run answers those who wait, as many as there are at a time.
func (b *Batch[Q, A]) run() {
	some, questions := make([]*waiter[Q, A], 0, BatchSize), make([]Q, 0, BatchSize)
	for w := range b.waiting {
		mine := b.takeTurn()
		runtime.Gosched() // whoever is about to ask does so first; alone, this takes no time
		b.settle(b.gather(append(some, w)), questions)
		if mine {
			<-b.turn
		}
	}
}

// takeTurn waits until the query before is back, or has taken so long that this one goes beside it.
func (b *Batch[Q, A]) takeTurn() bool {
	late := time.NewTimer(patience)
	defer late.Stop()
	select {
	case b.turn <- struct{}{}:
		return true
	case <-late.C:
		return false
	}
}

// gather adds to some whoever else waits already.
func (b *Batch[Q, A]) gather(some []*waiter[Q, A]) []*waiter[Q, A] {
	for len(some) < BatchSize {
		select {
		case w, open := <-b.waiting:
			if !open {
				return some
			}
			some = append(some, w)
		default:
			return some
		}
	}
	return some
}

// settle answers some, with room for their questions. An error that is about a question and not about the database must
// not spoil the others', so then each is asked alone.
func (b *Batch[Q, A]) settle(some []*waiter[Q, A], questions []Q) {
	until := some[0].until
	for _, w := range some {
		questions = append(questions, w.question)
		if w.until.After(until) {
			until = w.until
		}
	}
	ctx, cancel := context.WithDeadline(context.Background(), until)
	defer cancel()
	answers, err := b.ask(ctx, questions)
	if err != nil && len(some) > 1 && !errors.Is(err, ErrUnavailable) {
		for i := range some {
			b.settle(some[i:i+1], questions[:0])
		}
		return
	}
	for i, w := range some {
		if w.err = err; err == nil {
			w.answer = answers[i]
		}
		w.done <- struct{}{}
	}
}

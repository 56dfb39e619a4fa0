//go:build linux

package chaos

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// patience is the bootstrap's timeout for one request.
const patience = 2 * time.Second

// staleHeader is what the server marks an answer with that is not from Postgres; its value is the age in seconds.
const staleHeader = "X-Xmlcurld-Stale"

// outcome is what became of a question.
type outcome int

const (
	answered    outcome = iota
	unavailable         // 503
	otherStatus         // any other that is not 200
	refused             // nobody listens
	broken              // the connection was reset or closed
	timedOut
	outcomes
)

// record is one question that was asked.
type record struct {
	question        *question
	asked, answered time.Time // the second: or when it failed
	outcome         outcome
	stale           bool
	answer          digest // when answered
	said            string // when not
}

// load asks at a steady rate, however long answers take.
type load struct {
	url       string
	client    *http.Client
	questions *asked
	chance    *rand.Rand
	cancel    context.CancelFunc
	running   sync.WaitGroup

	mu      sync.Mutex
	records []record
	trouble time.Time // when the last question was asked that was not answered from the database
	good    time.Time // and when one was
}

// newLoad asks the server at address, with that much patience.
func newLoad(address string, questions *asked, seed uint64, patience time.Duration) *load {
	return &load{
		url: "http://" + address + "/xml", questions: questions, chance: rand.New(rand.NewPCG(seed, 1)),
		client: &http.Client{Timeout: patience, Transport: &http.Transport{DisableKeepAlives: true, DisableCompression: true}},
	}
}

// start begins to ask rate questions a second.
func (l *load) start(rate int) {
	ctx, cancel := context.WithCancel(context.Background())
	l.cancel = cancel
	l.running.Go(func() { l.run(ctx, time.Second/time.Duration(rate)) })
}

func (l *load) run(ctx context.Context, pause time.Duration) {
	tick := time.NewTicker(pause)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			q := l.questions.pick(l.chance)
			l.running.Go(func() { l.keep(l.ask(q)) })
		}
	}
}

// stop returns when the last question is answered.
func (l *load) stop() {
	if l != nil && l.cancel != nil {
		l.cancel()
		l.running.Wait()
	}
}

// ask asks q once.
func (l *load) ask(q *question) record {
	r := record{question: q, asked: time.Now()}
	answer, err := l.client.Post(l.url, "application/x-www-form-urlencoded", strings.NewReader(q.body))
	if err == nil {
		var body []byte
		body, err = io.ReadAll(answer.Body)
		_ = answer.Body.Close()
		switch {
		case err != nil:
		case answer.StatusCode == http.StatusOK:
			r.answer, r.stale = digestOf(body), isStale(answer.Header)
		case answer.StatusCode == http.StatusServiceUnavailable:
			r.outcome, r.said = unavailable, strings.TrimSpace(string(body))
		default:
			r.outcome = otherStatus
		}
	}
	r.answered = time.Now()
	if err != nil {
		r.outcome = failure(err)
	}
	return r
}

func isStale(header http.Header) bool {
	_, err := strconv.ParseFloat(header.Get(staleHeader), 64)
	return err == nil
}

func failure(err error) outcome {
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return refused
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded), os.IsTimeout(err):
		return timedOut
	}
	return broken
}

func (l *load) keep(r record) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.records = append(l.records, r)
	mark := &l.good
	if r.outcome != answered || r.stale {
		mark = &l.trouble
	}
	if r.asked.After(*mark) {
		*mark = r.asked
	}
}

// recovered reports whether all that was asked for as long as d, and after since, is answered from the database.
func (l *load) recovered(d time.Duration, since time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.trouble.After(since) {
		since = l.trouble
	}
	return l.good.Sub(since) >= d
}

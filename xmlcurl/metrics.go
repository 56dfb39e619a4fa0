package xmlcurl

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// How many different words a label may ever have, should a handler give out what it was told not to.
const (
	maxKinds        = 500    // section and kind
	maxNodeSeries   = 10_000 // node and kind
	maxUnknownNodes = 1_000  // names of each kind that are remembered as logged
)

// metrics counts what is asked and answered. Series are looked up once and then kept by their labels, because a lookup by
// a map of labels costs more than the rest of the accounting.
type metrics struct {
	requests            *prometheus.CounterVec
	duration, bytes     *prometheus.HistogramVec
	nodeLast            *prometheus.GaugeVec
	degraded            *prometheus.CounterVec
	unknownNodeRequests prometheus.Counter
	misnamedRequests    prometheus.Counter
	inFlight            prometheus.Gauge

	kinds        bounded[labels, *kindMetrics]
	nodes        bounded[nodeKind, prometheus.Gauge]
	unknownNodes nameSet
	misnamed     nameSet
	withheldRows nameSet
}

type labels struct{ section, kind string }

type nodeKind struct{ node, kind string }

// newMetrics registers on r, or nowhere when r is nil. answerLimit is in bytes.
func newMetrics(r prometheus.Registerer, answerLimit int64) *metrics {
	if r == nil {
		r = prometheus.NewRegistry()
	}
	m := &metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "xmlcurld_requests_total",
			Help: "Requests of FreeSWITCH, by what was asked and how it ended.",
		}, []string{"section", "kind", "result"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "xmlcurld_request_duration_seconds",
			Help:    "Time from a request's header to its answer.",
			Buckets: []float64{.0002, .0005, .001, .002, .005, .01, .02, .05, .1, .2, .5, 1, 2, 5},
		}, []string{"section", "kind"}),
		bytes: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "xmlcurld_answer_bytes",
			Help:    "Size of answers. The last two bounds are 80 % and all of xmlcurld_answer_limit_bytes.",
			Buckets: sizeBuckets(answerLimit),
		}, []string{"section", "kind"}),
		nodeLast: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "xmlcurld_node_last_request_timestamp_seconds",
			Help: "When a node that has a row was last given a configuration document.",
		}, []string{"node", "kind"}),
		degraded: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "xmlcurld_degraded_answers_total",
			Help: "Answers that are not all of what the rows say now. " +
				"stale: from rows of a while ago, because the database did not answer, or a standby that is behind did; " +
				"withheld: without what a row says that would do harm, and the log names the row.",
		}, []string{"section", "kind", "reason"}),
		unknownNodeRequests: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "xmlcurld_unknown_node_requests_total",
			Help: "Requests of nodes that have no row and got the common answer.",
		}),
		misnamedRequests: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "xmlcurld_misnamed_requests_total",
			Help: "Requests of nodes that said they were another than their credentials are of.",
		}),
		inFlight: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "xmlcurld_requests_in_flight",
			Help: "Requests being read or answered now.",
		}),
	}
	limit := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "xmlcurld_answer_limit_bytes",
		Help: "Size from which on FreeSWITCH drops an answer.",
	})
	limit.Set(float64(answerLimit))
	r.MustRegister(m.requests, m.duration, m.bytes, m.nodeLast, m.degraded, m.unknownNodeRequests, m.misnamedRequests, m.inFlight, limit)
	return m
}

// warnPart is how much of the limit an answer may reach without a warning.
func warnPart(limit int64) int64 { return limit * 8 / 10 }

// sizeBuckets are bounds in bytes, fine enough to tell which kind of document is large.
func sizeBuckets(limit int64) []float64 {
	var bounds []float64
	for size := int64(1 << 10); size < warnPart(limit); size *= 4 {
		bounds = append(bounds, float64(size))
	}
	return append(bounds, float64(warnPart(limit)), float64(limit))
}

// kindMetrics is the series of one kind of document.
type kindMetrics struct {
	results   [outcomes]prometheus.Counter
	duration  prometheus.Observer
	bytes     prometheus.Observer
	nearLimit atomic.Bool // was warned about
}

// kind returns the series for l, or for "other" once there are too many.
func (m *metrics) kind(l labels) *kindMetrics {
	k, ok := m.kinds.get(l, maxKinds, func() *kindMetrics { return m.newKind(l) })
	if !ok {
		k, _ = m.kinds.get(labels{other, other}, maxKinds+1, func() *kindMetrics { return m.newKind(labels{other, other}) })
	}
	return k
}

func (m *metrics) newKind(l labels) *kindMetrics {
	k := &kindMetrics{
		duration: m.duration.WithLabelValues(l.section, l.kind),
		bytes:    m.bytes.WithLabelValues(l.section, l.kind),
	}
	for o := range outcomes {
		k.results[o] = m.requests.WithLabelValues(l.section, l.kind, verdicts[o].result)
	}
	return k
}

func (k *kindMetrics) observe(o outcome, took time.Duration) {
	k.results[o].Inc()
	k.duration.Observe(took.Seconds())
}

// nodeAsked takes the time at which a known node was given a configuration document.
func (m *metrics) nodeAsked(node, kind string) {
	gauge, ok := m.nodes.get(nodeKind{node, kind}, maxNodeSeries, func() prometheus.Gauge {
		return m.nodeLast.WithLabelValues(node, kind)
	})
	if ok {
		gauge.SetToCurrentTime()
	}
}

// bounded is a map that many read and that stops growing.
type bounded[K comparable, V any] struct {
	mu     sync.RWMutex
	values map[K]V
}

// get returns the value of key, made if it is not there yet; false when there are most already.
func (b *bounded[K, V]) get(key K, most int, create func() V) (V, bool) {
	b.mu.RLock()
	value, ok := b.values[key]
	b.mu.RUnlock()
	if ok {
		return value, true
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if value, ok = b.values[key]; ok || len(b.values) >= most {
		return value, ok
	}
	if b.values == nil {
		b.values = map[K]V{}
	}
	value = create()
	b.values[key] = value
	return value, true
}

// nameSet is a bounded set of names that were told of once.
type nameSet struct{ names bounded[string, *atomic.Bool] }

// add reports whether name is new.
func (s *nameSet) add(name string) bool {
	told, ok := s.names.get(name, maxUnknownNodes, func() *atomic.Bool { return new(atomic.Bool) })
	return ok && told.CompareAndSwap(false, true)
}

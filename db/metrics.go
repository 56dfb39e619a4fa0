package db

import (
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"
)

// metrics are what an operator asks of the database: how long do queries take, and is the pool large enough.
type metrics struct {
	queries *prometheus.HistogramVec
}

func newMetrics() *metrics {
	return &metrics{queries: prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name:    "xmlcurld_database_query_duration_seconds",
		Help:    "Time of one query, from asking the pool for a connection to the last row.",
		Buckets: []float64{.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5},
	}, []string{"query"})}
}

func (m *metrics) register(reg prometheus.Registerer, pool *pgxpool.Pool) error {
	if err := reg.Register(m.queries); err != nil {
		return err
	}
	return reg.Register(poolCollector{pool})
}

func (m *metrics) observe(query string, since time.Time) {
	m.queries.WithLabelValues(query).Observe(time.Since(since).Seconds())
}

// poolCollector reads the pool's own figures when Prometheus asks.
type poolCollector struct{ pool *pgxpool.Pool }

var (
	poolConnections = prometheus.NewDesc("xmlcurld_database_connections",
		"Connections to Postgres by state.", []string{"state"}, nil)
	poolConnectionsMax = prometheus.NewDesc("xmlcurld_database_connections_limit",
		"Connections to Postgres that the pool may open.", nil, nil)
	poolWaits = prometheus.NewDesc("xmlcurld_database_connection_waits_total",
		"Questions that had to wait for a connection.", nil, nil)
	poolWaitSeconds = prometheus.NewDesc("xmlcurld_database_connection_wait_seconds_total",
		"Time that questions spent on getting a connection.", nil, nil)
)

// Describe implements prometheus.Collector.
func (c poolCollector) Describe(ch chan<- *prometheus.Desc) { prometheus.DescribeByCollect(c, ch) }

// Collect implements prometheus.Collector.
func (c poolCollector) Collect(ch chan<- prometheus.Metric) {
	stat := c.pool.Stat()
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	counter := func(d *prometheus.Desc, v float64) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, v)
	}
	gauge(poolConnections, float64(stat.AcquiredConns()), "busy")
	gauge(poolConnections, float64(stat.IdleConns()), "idle")
	gauge(poolConnectionsMax, float64(stat.MaxConns()))
	counter(poolWaits, float64(stat.EmptyAcquireCount()))
	counter(poolWaitSeconds, stat.AcquireDuration().Seconds())
}

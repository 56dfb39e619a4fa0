package pg

import (
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// metrics are what an operator asks of the database: how long do queries take, and is the pool large enough.
type metrics struct {
	queries *prometheus.HistogramVec
	trips   prometheus.Counter
}

func newMetrics(reg prometheus.Registerer, all *hosts) *metrics {
	reg.MustRegister(hostCollector{all})
	made := promauto.With(reg)
	return &metrics{queries: made.NewHistogramVec(prometheus.HistogramOpts{
		Name:    "xmlcurld_database_query_duration_seconds",
		Help:    "Time of one query, from asking the pool for a connection to the last row.",
		Buckets: []float64{.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5},
	}, []string{"query"}), trips: made.NewCounter(prometheus.CounterOpts{
		Name: "xmlcurld_database_failures_total",
		Help: "Times that a host failed a kind of question and was not asked it again before it answered.",
	})}
}

// hostCollector reads the hosts' own figures when Prometheus asks.
type hostCollector struct{ hosts *hosts }

var (
	hostConnections = prometheus.NewDesc("xmlcurld_database_connections",
		"Connections to Postgres by host, pool and state.", []string{"host", "pool", "state"}, nil)
	hostConnectionsMax = prometheus.NewDesc("xmlcurld_database_connections_limit",
		"Connections to Postgres that may be opened, by host and pool.", []string{"host", "pool"}, nil)
	hostWaits = prometheus.NewDesc("xmlcurld_database_connection_waits_total",
		"Questions that had to wait for a connection, by host and pool.", []string{"host", "pool"}, nil)
	hostWaitSeconds = prometheus.NewDesc("xmlcurld_database_connection_wait_seconds_total",
		"Time that questions spent on getting a connection, by host and pool.", []string{"host", "pool"}, nil)
	hostFailing = prometheus.NewDesc("xmlcurld_database_failing_queries",
		"Kinds of question that a host fails at present.", []string{"host"}, nil)
	hostStandby = prometheus.NewDesc("xmlcurld_database_standby",
		"1 for a host that is a standby, 0 for a primary.", []string{"host"}, nil)
	hostBehind = prometheus.NewDesc("xmlcurld_database_standby_behind_seconds",
		"How old what a standby shows may be.", []string{"host"}, nil)
	hostOutdated = prometheus.NewDesc("xmlcurld_database_outdated",
		"1 for a host that is not asked, because it shows less than was seen already.", []string{"host"}, nil)
)

// Describe implements prometheus.Collector.
func (c hostCollector) Describe(ch chan<- *prometheus.Desc) { prometheus.DescribeByCollect(c, ch) }

// Collect implements prometheus.Collector.
func (c hostCollector) Collect(ch chan<- prometheus.Metric) {
	for _, h := range c.hosts.all {
		gauge := func(d *prometheus.Desc, v float64, labels ...string) {
			ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, append([]string{h.name}, labels...)...)
		}
		counter := func(d *prometheus.Desc, v float64, labels ...string) {
			ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, v, append([]string{h.name}, labels...)...)
		}
		for pool, stat := range map[string]*pgxpool.Stat{"calls": h.calls.Stat(), "documents": h.documents.Stat()} {
			gauge(hostConnections, float64(stat.AcquiredConns()), pool, "busy")
			gauge(hostConnections, float64(stat.IdleConns()), pool, "idle")
			gauge(hostConnectionsMax, float64(stat.MaxConns()), pool)
			counter(hostWaits, float64(stat.EmptyAcquireCount()), pool)
			counter(hostWaitSeconds, stat.AcquireDuration().Seconds(), pool)
		}
		role := h.role.Load()
		gauge(hostFailing, float64(h.failing()))
		gauge(hostStandby, truth(role.standby))
		gauge(hostBehind, role.lag().Seconds())
		gauge(hostOutdated, truth(c.hosts.outdated(h)))
	}
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

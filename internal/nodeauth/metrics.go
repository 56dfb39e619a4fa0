package nodeauth

import "github.com/prometheus/client_golang/prometheus"

type metrics struct {
	readAt prometheus.Gauge
	checks *prometheus.CounterVec
}

func newMetrics(reg prometheus.Registerer) *metrics {
	m := &metrics{
		readAt: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "xmlcurld_credentials_read_timestamp_seconds",
			Help: "When the nodes' credentials were last read from the database.",
		}),
		checks: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "xmlcurld_password_checks_total",
			Help: "Passwords that were checked by the slow hash: one for each switch after a start.",
		}, []string{"result"}),
	}
	reg.MustRegister(m.readAt, m.checks)
	return m
}

func (m *metrics) checked(right bool) {
	result := "wrong"
	if right {
		result = "right"
	}
	m.checks.WithLabelValues(result).Inc()
}

package nodeauth

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

type metrics struct {
	readAt prometheus.Gauge
	checks *prometheus.CounterVec
}

func newMetrics(reg prometheus.Registerer) *metrics {
	made := promauto.With(reg)
	return &metrics{
		readAt: made.NewGauge(prometheus.GaugeOpts{
			Name: "xmlcurld_credentials_read_timestamp_seconds",
			Help: "When the nodes' credentials were last read from the database.",
		}),
		checks: made.NewCounterVec(prometheus.CounterOpts{
			Name: "xmlcurld_password_checks_total",
			Help: "Passwords that were checked by the slow hash: one for each switch after a start.",
		}, []string{"result"}),
	}
}

func (m *metrics) checked(right bool) {
	result := "wrong"
	if right {
		result = "right"
	}
	m.checks.WithLabelValues(result).Inc()
}

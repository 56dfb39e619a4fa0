package localrows

import "github.com/prometheus/client_golang/prometheus"

// collector tells Prometheus of the local rows.
type collector struct{ local *Store }

var (
	ageDesc = prometheus.NewDesc("xmlcurld_local_rows_age_seconds",
		"How long ago the local rows were last known to hold what the database held; absent while they may not be used.", nil, nil)
)

// Describe implements prometheus.Collector.
func (c collector) Describe(ch chan<- *prometheus.Desc) { ch <- ageDesc }

// Collect implements prometheus.Collector.
func (c collector) Collect(ch chan<- prometheus.Metric) {
	if age, usable := c.local.Age(); usable {
		ch <- prometheus.MustNewConstMetric(ageDesc, prometheus.GaugeValue, age.Seconds())
	}
}

package db

import "github.com/prometheus/client_golang/prometheus"

// copyCollector tells Prometheus of a copy.
type copyCollector struct{ copy *Copy }

var (
	copyAge = prometheus.NewDesc("xmlcurld_copy_age_seconds",
		"How long ago the copy was last known to hold what the database held; absent if it may not be used.", nil, nil)
	copyQuestions = prometheus.NewDesc("xmlcurld_copy_questions",
		"Questions, besides those for numbers and users, whose answers the copy holds.", nil, nil)
)

// Describe implements prometheus.Collector.
func (c copyCollector) Describe(ch chan<- *prometheus.Desc) { ch <- copyAge; ch <- copyQuestions }

// Collect implements prometheus.Collector.
func (c copyCollector) Collect(ch chan<- prometheus.Metric) {
	if age, usable := c.copy.Age(); usable {
		ch <- prometheus.MustNewConstMetric(copyAge, prometheus.GaugeValue, age.Seconds())
	}
	c.copy.mu.RLock()
	defer c.copy.mu.RUnlock()
	ch <- prometheus.MustNewConstMetric(copyQuestions, prometheus.GaugeValue, float64(len(c.copy.asked)-len(c.copy.waiting)))
}

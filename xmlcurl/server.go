package xmlcurl

import (
	"cmp"
	"errors"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/prometheus/client_golang/prometheus"

	"xmlcurld/internal/endpoint"
)

// What holds where Options say 0.
const (
	DefaultDeadline    = 800 * time.Millisecond
	DefaultBodyLimit   = 1 << 20
	DefaultAnswerLimit = 16 << 20
	DefaultMaxInFlight = 48
)

// Options is what a Server is made of. The zero value of everything but Handler has a meaning.
type Options struct {
	Handler     Handler
	Log         *slog.Logger          // nil: nothing is logged
	Registerer  prometheus.Registerer // nil: nothing is exported
	Deadline    time.Duration         // of one request, body included; 0: DefaultDeadline. Below the binding's timeout
	BodyLimit   int64                 // bytes of a request's body or query; 0: DefaultBodyLimit
	AnswerLimit int64                 // bytes, the binding's response-max-bytes; 0: DefaultAnswerLimit
	Credentials string                // "user:password" of the bindings' gateway-credentials, for all nodes; "": none is asked for
	Nodes       Authenticator         // knows the nodes' own; nil: they have none
	Closed      bool                  // credentials are asked for, be it only the nodes' own
	Path        string                // of the binding's gateway-url; "": /xml
	MaxInFlight int                   // requests answered at a time, but for a burst; 0: DefaultMaxInFlight. Any further one gets a 503
	Degraded    func() bool           // whether answers wait for a failing database: then a burst may last; nil: never
}

// Server answers mod_xml_curl over HTTP: POST and GET on one path, and nothing else. It reads bodies as fast as they
// come: an endpoint guards it against senders that never finish.
type Server struct {
	echo        *echo.Echo
	path        string
	handler     Handler
	log         *slog.Logger
	metrics     *metrics
	credentials *credentials
	deadline    time.Duration
	bodyLimit   int64
	answerLimit int64
	lastStale   atomic.Int64 // when a stale answer was given last, in ns
	limiters    limiters
	watcher     atomic.Pointer[func(*Exchange)]

	refusals  throttle           // what the log tells of requests without room
	strangers [outcomes]throttle // likewise of those that anybody brings about
}

// NewServer makes a Server and registers its metrics, once per Registerer.
func NewServer(o Options) *Server {
	s := &Server{
		echo:        echo.New(),
		path:        cmp.Or(o.Path, "/xml"),
		handler:     o.Handler,
		log:         cmp.Or(o.Log, slog.New(slog.DiscardHandler)),
		credentials: newCredentials(o.Credentials, o.Nodes, o.Closed),
		deadline:    cmp.Or(o.Deadline, DefaultDeadline),
		bodyLimit:   cmp.Or(o.BodyLimit, DefaultBodyLimit),
		answerLimit: cmp.Or(o.AnswerLimit, DefaultAnswerLimit),
	}
	s.limiters = newLimiters(int64(cmp.Or(o.MaxInFlight, DefaultMaxInFlight)), s.deadline, o.Degraded)
	s.metrics = newMetrics(o.Registerer, s.answerLimit)
	s.echo.POST(s.path, s.serve)
	s.echo.GET(s.path, s.serve)
	s.echo.HTTPErrorHandler = s.refuse
	return s
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.echo.ServeHTTP(w, r) }

var _ endpoint.PlainHandler = (*Server)(nil)

// Path implements endpoint.PlainHandler.
func (s *Server) Path() string { return s.path }

// ServePlain implements endpoint.PlainHandler.
func (s *Server) ServePlain(r *endpoint.PlainRequest) { s.exchange(plainTransport{r}) }

func (s *Server) serve(c echo.Context) error {
	s.exchange(httpTransport{c.Request(), c.Response()})
	return nil
}

// refuse answers what is not for the one path, or not by the two methods.
func (s *Server) refuse(err error, c echo.Context) {
	x := exchange{outcome: wrongPath}
	if errors.Is(err, echo.ErrMethodNotAllowed) {
		x.outcome = wrongMethod
	}
	httpTransport{c.Request(), c.Response()}.Reply(x.answer())
	s.account(c.Request().Context(), &x, 0)
}

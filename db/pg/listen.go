package pg

import (
	"context"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"xmlcurld/internal/pace"
)

// channel is what the triggers notify.
const channel = "xmlcurld"

// relisten is the pause before listening again after the connection broke.
const relisten = time.Second

// listener has the one connection that listens, for all who want to hear.
type listener struct {
	owner *DB // whose life it shares
	start sync.Once

	mu        sync.Mutex
	listening bool
	ears      map[*ear]struct{}
}

// ear is somebody who wants to hear.
type ear func(payload string, lost error)

// Listen calls told with the payload of each notice, in the order in which the transactions were committed, until ctx ends.
// It calls told with an empty one whenever it begins to listen: what was committed before that is to be looked for. When the
// connection breaks it calls told with the reason, and listens again. told must return at once.
func (d *DB) Listen(ctx context.Context, told ear) {
	l := d.listener
	l.start.Do(func() { l.owner.works.Go(func() { l.run(l.owner.life) }) })
	l.mu.Lock()
	l.ears[&told] = struct{}{}
	if l.listening {
		told("", nil)
	}
	l.mu.Unlock()
	<-ctx.Done()
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.ears, &told)
}

func (l *listener) run(ctx context.Context) {
	for ctx.Err() == nil {
		err := l.listen(ctx)
		if ctx.Err() != nil {
			return
		}
		l.tell("", Translate("listen", err))
		pace.Sleep(ctx, relisten)
	}
}

func (l *listener) listen(ctx context.Context) error {
	conn, err := pgx.ConnectConfig(ctx, l.owner.primary.Config().ConnConfig)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	if _, err := conn.Exec(ctx, "LISTEN "+channel); err != nil {
		return err
	}
	l.tell("", nil)
	for {
		heard, err := conn.WaitForNotification(ctx)
		if err != nil {
			return err
		}
		l.tell(heard.Payload, nil)
	}
}

func (l *listener) tell(payload string, lost error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.listening = lost == nil
	for told := range l.ears {
		(*told)(payload, lost)
	}
}

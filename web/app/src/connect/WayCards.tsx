import { Link } from 'react-router'
import { useLanguage, type Key } from '../i18n'
import { WAYS, wayLabel, wayNote } from './ways'

const SAFE = ['backup', 'export', 'view', 'login'] as const

function Icon({ d }: { d: string }) {
  return (
    <svg width="28" height="28" viewBox="0 0 24 24" aria-hidden="true" fill="none">
      <path d={d} stroke="currentColor" strokeWidth="1.4" strokeLinecap="round" strokeLinejoin="round" />
    </svg>
  )
}

function SafeRoutes() {
  const { t } = useLanguage()
  return (
    <section className="card" aria-labelledby="safe">
      <h2 id="safe">{t('connect.safe')}</h2>
      <p className="muted">{t('connect.safe_hint')}</p>
      <ol className="safe">
        {SAFE.map((one, index) => (
          <li key={one}>
            <span className="safe__n num" aria-hidden="true">
              {index + 1}
            </span>
            <div>
              <b>{t(`connect.safe.${one}`)}</b>
              <p className="muted small">{t(`connect.safe.${one}.why` as Key)}</p>
            </div>
          </li>
        ))}
      </ol>
    </section>
  )
}

/** What can be connected, the routes nobody objects to named first. */
export function WayCards() {
  const { t } = useLanguage()
  return (
    <>
      <SafeRoutes />
      <h2 className="connect__title">{t('connect.choose')}</h2>
      <ul className="ways">
        {WAYS.map((way) => (
          <li key={way.code}>
            <Link className="way" to={`/sources/connect?way=${way.code}`}>
              <Icon d={way.icon} />
              <span>
                <b>{t(wayLabel(way))}</b>
                <span className="muted small way__note">{t(wayNote(way))}</span>
              </span>
            </Link>
          </li>
        ))}
        <li>
          <Link className="way" to="/webhooks">
            <Icon d="M3 12h11M10 8l4 4-4 4M14 4h7v16h-7" />
            <span>
              <b>{t('connect.way.webhook')}</b>
              <span className="muted small way__note">{t('connect.way.webhook.note')}</span>
            </span>
          </Link>
        </li>
      </ul>
    </>
  )
}

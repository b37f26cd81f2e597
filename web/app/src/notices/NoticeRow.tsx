import { Link } from 'react-router'
import type { Notice } from '../api/types'
import { useFormats } from '../format/use'
import { useLanguage } from '../i18n'
import { ownPath } from './ownPath'

type Props = { notice: Notice; onRead: (id: string) => void; onLeave: () => void }

/** One notice; following its link, or its button, marks it as read. */
export function NoticeRow({ notice, onRead, onLeave }: Props) {
  const { t, say } = useLanguage()
  const { dayTime, ago } = useFormats()
  const unread = notice.read_at === null
  const to = ownPath(notice.link)
  const follow = (): void => {
    if (unread) onRead(notice.id)
    onLeave()
  }
  return (
    <li className={`notice${unread ? ' notice--unread' : ''}`}>
      <p className="notice__title">
        {unread && <span className="notice__dot">{t('notices.unread')}</span>}
        {to === null ? (
          say(notice.title)
        ) : (
          <Link to={to} onClick={follow}>
            {say(notice.title)}
          </Link>
        )}
      </p>
      {notice.body && <p className="notice__body">{say(notice.body)}</p>}
      <p className="notice__foot muted small num">
        {dayTime(notice.at)} · {ago(notice.at)}
        {unread && (
          <button type="button" className="bare notice__read" onClick={() => onRead(notice.id)}>
            {t('notices.read')}
          </button>
        )}
      </p>
    </li>
  )
}

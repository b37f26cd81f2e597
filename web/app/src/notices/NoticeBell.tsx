import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { answer, api } from '../api/client'
import { useEvery } from '../api/useLive'
import { useLanguage } from '../i18n'
import { NoticeDrawer } from './NoticeDrawer'
import './Notices.css'

const EVERY = 30_000
const MOST = 99

/** The bell in the top bar, with how many notices are unread. */
export function NoticeBell() {
  const { t } = useLanguage()
  const [open, setOpen] = useState(false)
  const notices = useQuery({
    queryKey: ['notices', 'unread'],
    queryFn: () => answer(api.GET('/api/notices', { params: { query: { unread: true, page_size: 1 } } })),
    refetchInterval: useEvery(EVERY),
  })
  const unread = notices.data?.unread ?? 0
  return (
    <>
      <button
        type="button"
        className="bare top__button bell"
        aria-label={unread > 0 ? t('notices.bell', { n: unread }) : t('notices.title')}
        aria-expanded={open}
        onClick={() => setOpen(true)}
      >
        <svg width="18" height="18" viewBox="0 0 18 18" aria-hidden="true" fill="none">
          <path
            d="M4 13V8a5 5 0 0 1 10 0v5l1.5 1.5h-13zM7.5 14.5a1.5 1.5 0 0 0 3 0M9 3V1.5"
            stroke="currentColor"
            strokeWidth="1.5"
            strokeLinecap="round"
            strokeLinejoin="round"
          />
        </svg>
        {unread > 0 && (
          <span className="bell__count num" aria-hidden="true">
            {unread > MOST ? `${MOST}+` : unread}
          </span>
        )}
      </button>
      <NoticeDrawer open={open} onClose={() => setOpen(false)} />
    </>
  )
}

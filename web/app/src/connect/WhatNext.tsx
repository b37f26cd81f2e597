import { Link } from 'react-router'
import { useLanguage } from '../i18n'

/** The source is connected: what comes now. */
export function WhatNext({ code, name }: { code: string; name: string }) {
  const { t } = useLanguage()
  return (
    <div className="card next" role="status">
      <p>
        <b>✓ {t('next.done', { name })}</b> {t('next.hint')}
      </p>
      <p className="next__links">
        <Link className="inline" to={`/sources/${encodeURIComponent(code)}/access`}>
          {t('access.open')}
        </Link>
        <Link className="inline" to="/sources/connect">
          {t('next.another')}
        </Link>
      </p>
    </div>
  )
}

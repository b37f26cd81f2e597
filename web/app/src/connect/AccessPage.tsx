import { useQuery } from '@tanstack/react-query'
import { Button } from 'antd'
import { useEffect } from 'react'
import { Link, useParams } from 'react-router'
import { count } from '../format/quantity'
import { useFormats } from '../format/use'
import { useLanguage } from '../i18n'
import { FailureNote } from '../parts/FailureNote'
import { Joint } from '../parts/Joint'
import { Waiting } from '../parts/Waiting'
import { accessOf } from './calls'
import type { Access } from './types'
import { useSource } from './useSource'
import './Access.css'

function Who({ access }: { access: Access }) {
  const { t } = useLanguage()
  return (
    <>
      <h2>{t('access.who')}</h2>
      <dl className="access__facts">
        <div>
          <dt>{t('access.address')}</dt>
          <dd className="code">{access.address}</dd>
        </div>
        <div>
          <dt>{t('access.login')}</dt>
          <dd className="code">{access.login ?? t('access.no_login')}</dd>
        </div>
      </dl>
      {access.writes.length === 0 ? (
        <p className="access__promise">
          <b>{t('access.nothing_written')}</b> {access.ledger && t('access.ledger')}
        </p>
      ) : (
        <>
          <p className="access__promise">{t('access.writes')}</p>
          <ul className="access__writes">
            {access.writes.map(({ table, actions }) => (
              <li key={table} className="code">
                {table} ({actions.join(', ')})
              </li>
            ))}
          </ul>
        </>
      )}
    </>
  )
}

function TableRead({ table }: { table: Access['tables'][number] }) {
  const { t, say } = useLanguage()
  const { fullTime, duration } = useFormats()
  return (
    <section className="access__table">
      <h3>
        <span className="code">{table.table}</span> {say(table.label)}
      </h3>
      {table.statement === null ? (
        <p className="warn">{say(table.problem)}</p>
      ) : (
        <pre className="code" aria-label={t('access.statement')}>
          {table.statement}
        </pre>
      )}
      <p className="small">
        {table.every_seconds ? t('access.every', { age: duration(table.every_seconds) }) : t('access.every_round')}
        {' · '}
        {table.last_at && table.seconds !== null
          ? t('access.read_of', {
              time: fullTime(table.last_at),
              n: count(table.read),
              seconds: table.seconds.toFixed(table.seconds < 1 ? 2 : 1),
            })
          : t('access.before_first')}
        {' · '}
        {t('sources.rows', { n: count(table.rows) })}
      </p>
    </section>
  )
}

/** What is read of a source, to be printed for those who look after it. */
export default function AccessPage() {
  const { t, say } = useLanguage()
  const { fullTime } = useFormats()
  const { code = '' } = useParams()
  const source = useSource(code)
  const query = useQuery({ queryKey: ['access', code], queryFn: () => accessOf(code), refetchOnWindowFocus: false })
  const title = t('access.title', { name: source ? say(source.label) : code })
  useEffect(() => {
    document.title = `${title} · 榫 Tenon`
  }, [title])
  return (
    <main className="access">
      <div className="access__tools">
        <Link to={`/sources?source=${encodeURIComponent(code)}`}>← {t('menu.sources')}</Link>
        <span className="muted small">{t('access.hint')}</span>
        <Button type="primary" disabled={!query.data} onClick={() => window.print()}>
          {t('access.print')}
        </Button>
      </div>
      <article className="access__sheet">
        <header className="access__head">
          <Joint size={28} />
          <h1>{title}</h1>
          <span className="small">{t('access.as_of', { time: fullTime(new Date().toISOString()) })}</span>
        </header>
        {query.data ? (
          <>
            <Who access={query.data} />
            <p>{t('access.promise')}</p>
            <h2>{t('access.what')}</h2>
            {query.data.tables.length === 0 && <p>{t('access.no_tables')}</p>}
            {query.data.tables.map((table) => (
              <TableRead key={table.sync} table={table} />
            ))}
          </>
        ) : query.error ? (
          <FailureNote error={query.error} retry={() => void query.refetch()} bare />
        ) : (
          <Waiting rows={10} card={false} />
        )}
      </article>
    </main>
  )
}

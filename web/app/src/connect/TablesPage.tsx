import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { Button } from 'antd'
import { useState } from 'react'
import { Link, useNavigate, useParams } from 'react-router'
import { useCan } from '../api/session'
import { useLanguage } from '../i18n'
import { useDebounced } from '../masters/useDebounced'
import { useRowKeys } from '../orders/useRowKeys'
import { Empty } from '../parts/Empty'
import { FailureNote } from '../parts/FailureNote'
import { Page } from '../parts/Page'
import { Pager } from '../parts/Pager'
import { Waiting } from '../parts/Waiting'
import { useAddressFilter } from '../sources/useAddressFilter'
import { tablesOf, targets } from './calls'
import { inOrder, mapAddress } from './queue'
import { TableDrawer } from './TableDrawer'
import { TableRows } from './TableRows'
import { TableTools } from './TableTools'
import type { Table, TableList } from './types'
import { useSource } from './useSource'
import { WhatNext } from './WhatNext'
import '../orders/OrderList.css'
import './Connect.css'

const PAGE = 50

function Reading({ error, retry }: { error: unknown; retry: () => void }) {
  const { t } = useLanguage()
  if (error) return <FailureNote error={error} retry={retry} />
  return (
    <>
      <p className="muted connect__wait">{t('tables.reading')}</p>
      <Waiting rows={8} />
    </>
  )
}

function LedgerBanner({ ledger }: { ledger: NonNullable<TableList['ledger']> }) {
  const { say } = useLanguage()
  return (
    <div className="card ledger" role="status">
      <b>{say(ledger.label)}</b>
      <p>{say(ledger.note)}</p>
    </div>
  )
}

/** What a source holds: its tables, what each probably is, and which are read already. */
export default function TablesPage() {
  const { t, say } = useLanguage()
  const { code = '' } = useParams()
  const can = useCan()
  const navigate = useNavigate()
  const { get, set, open, page, turn } = useAddressFilter()
  useRowKeys()
  const q = useDebounced(get('q') ?? '')
  const [chosen, setChosen] = useState<ReadonlyMap<string, Table>>(new Map())
  const source = useSource(code)
  const list = useQuery({
    queryKey: ['source-tables', code, q, page],
    queryFn: () => tablesOf(code, q, page),
    placeholderData: keepPreviousData,
    staleTime: 60_000,
  })
  const kinds = useQuery({ queryKey: ['targets'], queryFn: targets, staleTime: 60_000 })
  const { data } = list
  const offered = data?.tables.filter((table) => table.offer && !table.sync).map((table) => table.name) ?? []
  const start = (): void => void navigate(mapAddress(code, inOrder([...chosen.values()], kinds.data ?? [])))
  const choose = (names: string[], on: boolean): void => {
    // Kept with the tables themselves: another search must not lose what was chosen.
    const next = new Map(chosen)
    for (const table of data?.tables ?? []) {
      if (!names.includes(table.name)) continue
      if (on) next.set(table.name, table)
      else next.delete(table.name)
    }
    setChosen(next)
  }
  return (
    <Page
      title={t('tables.title', { name: source ? say(source.label) : code })}
      hint={<Link to={`/sources?source=${encodeURIComponent(code)}`}>← {t('menu.sources')}</Link>}
      actions={
        can('sources.manage') && (
          <Button type="primary" disabled={chosen.size === 0} onClick={start}>
            {chosen.size ? t('tables.map', { n: chosen.size }) : t('tables.map_none')}
          </Button>
        )
      }
    >
      {get('new') && <WhatNext code={code} name={source ? say(source.label) : code} />}
      <TableTools
        q={get('q') ?? ''}
        search={(typed) => set('q', typed || undefined)}
        offered={offered}
        chosen={chosen}
        choose={choose}
        total={data?.total}
      />
      {data?.ledger && <LedgerBanner ledger={data.ledger} />}
      {!data && <Reading error={list.error} retry={() => void list.refetch()} />}
      {data?.tables.length === 0 && (
        <div className="card">
          <Empty title={t(q ? 'tables.none_match' : 'tables.none')}>{t(q ? 'tables.none_match_hint' : 'tables.none_hint')}</Empty>
        </div>
      )}
      {data && data.tables.length > 0 && (
        <>
          <TableRows source={code} tables={data.tables} chosen={chosen} choose={choose} open={(name) => open('table', name)} />
          <Pager of={{ page, page_size: PAGE, total: data.total }} turn={turn} />
        </>
      )}
      <TableDrawer
        source={code}
        table={data?.tables.find((table) => table.name === get('table'))}
        onClose={() => open('table', undefined)}
      />
    </Page>
  )
}

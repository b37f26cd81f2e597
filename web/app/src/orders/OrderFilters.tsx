import { Button, Input, Select } from 'antd'
import { useEffect, useState } from 'react'
import { useSearchParams } from 'react-router'
import { useLanguage, type Key } from '../i18n'
import { STAGES } from './filters'

const NAMES = ['stage', 'op', 'late', 'confirmed', 'customer', 'state']

/** The filters of the order list; each one is in the address. */
export function OrderFilters({ total }: { total: string | null }) {
  const { t } = useLanguage()
  const [params, setParams] = useSearchParams()
  const [customer, setCustomer] = useState(params.get('customer') ?? '')
  useEffect(() => setCustomer(params.get('customer') ?? ''), [params])
  const set = (name: string, value: string | undefined): void => {
    const next = new URLSearchParams(params)
    if (value) next.set(name, value)
    else next.delete(name)
    next.delete('page')
    setParams(next, { replace: true })
  }
  const clear = (): void => {
    const next = new URLSearchParams(params)
    NAMES.forEach((name) => next.delete(name))
    setParams(next, { replace: true })
  }
  const toggle = (name: string, on: string, label: Key) => {
    const pressed = params.get(name) === on
    return (
      <button
        type="button"
        className={`bare chip${pressed ? ' chip--on' : ''}`}
        aria-pressed={pressed}
        onClick={() => set(name, pressed ? undefined : on)}
      >
        {t(label)}
      </button>
    )
  }
  const filtered = NAMES.some((name) => params.has(name))
  return (
    <div className="orders__filters">
      <Select
        allowClear
        aria-label={t('filter.stage')}
        className="orders__stage"
        placeholder={t('filter.stage')}
        value={params.get('stage') ?? undefined}
        options={STAGES.map((code) => ({ value: code, label: t(`stage.${code}`) }))}
        onChange={(value?: string) => set('stage', value)}
      />
      <Input
        allowClear
        className="orders__customer"
        aria-label={t('filter.customer')}
        placeholder={t('filter.customer')}
        value={customer}
        maxLength={100}
        onChange={(event) => {
          setCustomer(event.target.value)
          if (event.target.value === '') set('customer', undefined)
        }}
        onPressEnter={() => set('customer', customer.trim())}
        onBlur={() => customer.trim() !== (params.get('customer') ?? '') && set('customer', customer.trim())}
      />
      {toggle('late', 'true', 'filter.late')}
      {toggle('confirmed', 'false', 'filter.unconfirmed')}
      {toggle('state', 'all', 'filter.all')}
      {filtered && (
        <Button type="link" size="small" onClick={clear}>
          {t('filter.clear')}
        </Button>
      )}
      <span className="orders__total muted num" role="status">
        {total !== null && t('orders.total', { n: total })}
      </span>
    </div>
  )
}

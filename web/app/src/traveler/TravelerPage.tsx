import { useMutation, useQuery } from '@tanstack/react-query'
import { App, Button } from 'antd'
import { useState } from 'react'
import { Link, useParams } from 'react-router'
import { answer, api } from '../api/client'
import type { Traveler } from '../api/types'
import { quantity } from '../format/quantity'
import { useFormats } from '../format/use'
import { useLanguage } from '../i18n'
import { FailureNote } from '../parts/FailureNote'
import { Waiting } from '../parts/Waiting'
import './Traveler.css'

const load = (id: string, renew: boolean): Promise<Traveler> =>
  answer(api.POST('/api/work-orders/{work_order_id}/traveler', { params: { path: { work_order_id: id } }, body: { renew } }))

function Operation({ one }: { one: Traveler['operations'][number] }) {
  const { t } = useLanguage()
  return (
    <li className="traveler__operation">
      <span className="traveler__seq num">{one.seq}</span>
      <span className="traveler__name">
        <b>{one.name}</b>
        <span className="muted">
          {one.work_centre} {one.outside && t('traveler.outside')}
        </span>
      </span>
      <span className="traveler__qty num">
        {t('traveler.plan')} {one.qty_plan === null ? '–' : quantity(one.qty_plan)}
      </span>
      <img className="traveler__code" alt={`${t('traveler.title')} ${one.seq}`} src={`data:image/svg+xml,${encodeURIComponent(one.qr_svg)}`} />
    </li>
  )
}

/** A work order's traveler 流转卡, to be printed: a QR code for each operation. */
export default function TravelerPage() {
  const { workOrderId = '' } = useParams()
  const { t } = useLanguage()
  const { dayTime } = useFormats()
  const { modal } = App.useApp()
  const [fresh, setFresh] = useState<Traveler>()
  const asked = useQuery({ queryKey: ['traveler', workOrderId], queryFn: () => load(workOrderId, false), staleTime: Infinity })
  const renew = useMutation({ mutationFn: () => load(workOrderId, true), onSuccess: setFresh })
  const card = fresh ?? asked.data
  const ask = (): void => {
    modal.confirm({
      title: t('traveler.renew_ask'),
      content: t('traveler.renew_warn'),
      okText: t('traveler.renew'),
      okButtonProps: { danger: true },
      onOk: () => renew.mutateAsync().catch(() => undefined),
    })
  }
  const failure = asked.error ?? renew.error
  if (failure) return <main className="traveler"><FailureNote error={failure} retry={() => void asked.refetch()} /></main>
  if (!card) return <Waiting />
  const head = card.work_order
  return (
    <main className="traveler">
      <nav className="traveler__bar">
        <Link to={`/orders?q=${encodeURIComponent(head.work_order_no)}`}>{t('traveler.back')}</Link>
        <span className="traveler__space" />
        <Button onClick={ask} loading={renew.isPending}>
          {t('traveler.renew')}
        </Button>
        <Button type="primary" onClick={() => window.print()}>
          {t('traveler.print')}
        </Button>
      </nav>
      <article className="traveler__sheet">
        <header className="traveler__head">
          <h1>
            {t('traveler.title')} <span className="num">{head.work_order_no}</span>
          </h1>
          <dl>
            <div>
              <dt>{t('traveler.item')}</dt>
              <dd>
                {head.item_code} {head.item_name}
              </dd>
            </div>
            <div>
              <dt>{t('traveler.drawing')}</dt>
              <dd>
                {head.drawing_no ?? '–'} {head.drawing_rev}
              </dd>
            </div>
            <div>
              <dt>{t('traveler.qty')}</dt>
              <dd className="num">
                {quantity(head.qty)} {head.unit}
              </dd>
            </div>
            <div>
              <dt>{t('traveler.due')}</dt>
              <dd className="num">{head.due_at ? dayTime(head.due_at) : '–'}</dd>
            </div>
          </dl>
        </header>
        <p className="muted small">{t('traveler.hint')}</p>
        <ol className="traveler__operations">
          {card.operations.map((one) => (
            <Operation key={one.id} one={one} />
          ))}
        </ol>
      </article>
    </main>
  )
}

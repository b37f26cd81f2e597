import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Alert, App, Button, Segmented } from 'antd'
import { useEffect, useState } from 'react'
import { useNavigate, useParams } from 'react-router'
import { answer, api } from '../api/client'
import { useLanguage } from '../i18n'
import { useErrorText } from '../i18n/errors'
import { FailureNote } from '../parts/FailureNote'
import { Waiting } from '../parts/Waiting'
import { TravelerSheet } from './TravelerSheet'
import { onlyHere } from './qr'
import './Traveler.css'

const PAPERS = ['a4', 'a5'] as const
type Paper = (typeof PAPERS)[number]

function make(id: string, renew: boolean) {
  const params = { path: { work_order_id: id } }
  return answer(api.POST('/api/work-orders/{work_order_id}/traveler', { params, body: { renew } }))
}

/** The traveler of a work order, to be printed and to go with the material. */
export default function TravelerPage() {
  const { t } = useLanguage()
  const words = useErrorText()
  const navigate = useNavigate()
  const queries = useQueryClient()
  const { message, modal } = App.useApp()
  const { workOrderId = '' } = useParams()
  const [paper, setPaper] = useState<Paper>('a4')
  const key = ['traveler', workOrderId]
  // Asking again gives the same codes, so nothing is lost by it; but a sheet does not move by itself.
  const query = useQuery({
    queryKey: key,
    queryFn: () => make(workOrderId, false),
    staleTime: Infinity,
    refetchOnWindowFocus: false,
  })
  const traveler = query.data
  const number = traveler?.work_order.work_order_no
  useEffect(() => {
    document.title = `${number ?? ''} ${t('traveler.title')} · 榫 Tenon`
  }, [number, t])
  const renew = (): void =>
    void modal.confirm({
      title: t('traveler.renew'),
      content: t('traveler.renew_ask'),
      icon: null,
      okText: t('traveler.renew_do'),
      okButtonProps: { danger: true },
      onOk: async () => {
        try {
          queries.setQueryData(key, await make(workOrderId, true))
          void message.success(t('traveler.renewed'))
        } catch (error) {
          void message.error(words(error))
        }
      },
    })
  const back = (): void => void (window.history.state?.idx > 0 ? navigate(-1) : navigate('/orders'))
  return (
    <main className="traveler">
      <h1 className="visually-hidden">
        {t('traveler.title')} {number}
      </h1>
      <div className="traveler__tools">
        <Button onClick={back}>← {t('order.back')}</Button>
        {traveler && (
          <>
            <Segmented
              aria-label={t('traveler.paper')}
              value={paper}
              options={PAPERS.map((one) => ({ value: one, label: one.toUpperCase() }))}
              onChange={setPaper}
            />
            <span className="traveler__space" />
            <Button onClick={renew}>{t('traveler.renew')}</Button>
            <Button type="primary" onClick={() => window.print()}>
              {t('traveler.print')}
            </Button>
          </>
        )}
      </div>
      {traveler?.operations.some((one) => onlyHere(one.url)) && (
        <Alert className="traveler__warning" type="warning" showIcon title={t('traveler.only_here')} />
      )}
      {!traveler &&
        (query.error ? (
          <FailureNote error={query.error} retry={() => void query.refetch()} />
        ) : (
          <Waiting rows={12} />
        ))}
      {traveler && <TravelerSheet traveler={traveler} paper={paper} />}
    </main>
  )
}

import { useQuery } from '@tanstack/react-query'
import { answer, api } from '../api/client'
import { useEvery } from '../api/useLive'
import { count } from '../format/quantity'
import { useLanguage } from '../i18n'
import { useRowKeys } from '../orders/useRowKeys'
import { Empty } from '../parts/Empty'
import { FailureNote } from '../parts/FailureNote'
import { Page } from '../parts/Page'
import { Waiting } from '../parts/Waiting'
import { useKept } from '../planning/useKept'
import { useAddressFilter } from '../sources/useAddressFilter'
import { ReviewDrawer } from './ReviewDrawer'
import { ReviewTable } from './ReviewTable'
import '../planning/Planning.css'

const EVERY = 15_000

/** 报工复核: workers' reports that nobody could take as they were. */
export default function ReviewsPage() {
  const { t } = useLanguage()
  const { get, set } = useAddressFilter()
  useRowKeys()
  const list = useQuery({
    queryKey: ['report-reviews'],
    queryFn: () => answer(api.GET('/api/report-reviews')),
    refetchInterval: useEvery(EVERY),
  })
  const { data } = list
  const chosen = get('report')
  const { row, gone } = useKept(data?.find((one) => one.report_id === chosen), chosen)
  return (
    <Page
      title={t('menu.reviews')}
      hint={t('reviews.hint')}
      actions={
        <span className="muted num" role="status">
          {data && t('reviews.total', { n: count(data.length) })}
        </span>
      }
    >
      {!data &&
        (list.error ? <FailureNote error={list.error} retry={() => void list.refetch()} /> : <Waiting rows={6} />)}
      {data?.length === 0 && (
        <div className="card">
          <Empty title={t('reviews.none')}>{t('reviews.none_hint')}</Empty>
        </div>
      )}
      {data && data.length > 0 && <ReviewTable rows={data} onOpen={(id) => set('report', id)} />}
      <ReviewDrawer review={row} gone={gone} onClose={() => set('report', undefined)} />
    </Page>
  )
}

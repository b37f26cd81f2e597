import { useSearchParams } from 'react-router'
import { useLanguage } from '../i18n'
import { Page } from '../parts/Page'
import { OrderList } from './OrderList'
import { SearchAnswer } from './SearchAnswer'
import { SearchBox } from './SearchBox'

/** Where is my order: one search box, and below it the open orders. */
export default function OrdersPage() {
  const { t } = useLanguage()
  const [params, setParams] = useSearchParams()
  const query = params.get('q') ?? ''
  const search = (next: string): void => {
    const rest = new URLSearchParams(params)
    if (next) rest.set('q', next)
    else rest.delete('q')
    rest.delete('page')
    setParams(rest, { replace: true })
  }
  return (
    <Page title={t('orders.title')} hint={t('orders.hint')}>
      <SearchBox query={query} onSearch={search} />
      {query.trim() ? <SearchAnswer query={query.trim()} /> : <OrderList />}
    </Page>
  )
}

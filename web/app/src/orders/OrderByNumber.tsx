import { useQuery } from '@tanstack/react-query'
import { Navigate, useParams } from 'react-router'
import { answer, api } from '../api/client'
import { FailureNote } from '../parts/FailureNote'
import { Waiting } from '../parts/Waiting'

/** An order's number in the address leads to its first line. */
export default function OrderByNumber() {
  const { orderNo = '' } = useParams()
  const order = useQuery({
    queryKey: ['order-by-number', orderNo],
    queryFn: () =>
      answer(
        api.GET('/api/orders/by-number/{order_no}', { params: { path: { order_no: orderNo } } }),
      ),
  })
  if (order.data) return <Navigate to={`/orders/${order.data.line_id}`} replace />
  return (
    <div className="page">{order.error ? <FailureNote error={order.error} /> : <Waiting rows={8} />}</div>
  )
}

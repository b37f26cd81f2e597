export default function MastersPage() { return null }

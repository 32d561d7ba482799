export { Wampy } from 'wampy';
